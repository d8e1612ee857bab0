// What a task needs beside the ports of a turn: templates, slash commands, tools, translation.
import type { Owner } from '../shared/owner.js';
import type { IntentId, Language } from './intent.js';

export interface StaticAnswers {
  /** From memory and templates alone. `language` is what the person writes or prefers. */
  answer(intent: IntentId, question: StaticQuestion): StaticAnswer;
}

export interface StaticQuestion {
  text: string;
  /** What the person meant, where that is not what is answered: its tool is missing. */
  wanted: IntentId;
  language: Language | null;
  /** The client's IANA zone where it sent one. */
  timeZone: string | null;
  requestId: string;
}

export interface StaticAnswer {
  text: string;
  /** Markdown for the UI's widget, where there is one. */
  widget?: string | undefined;
}

export interface SlashCommands {
  /** What of a text is a command, and what is left of it. */
  parse(text: string): ParsedText;
  /** The intent a tool id stands for, or null for a tool nobody knows. */
  intentOf(tool: string): IntentId | null;
}

export interface ParsedText {
  text: string;
  tool: string | null;
  provider: string | null;
  /** `/clear`: the session begins anew. */
  clear: boolean;
  /** Commands nobody knows, as they were typed; they are no part of the text. */
  unknown: readonly string[];
}

export interface ToolResult {
  /** What the model reads; data, never an instruction. */
  text: string;
  failed: boolean;
  /** Sensitivity that sticks to what goes along from here on. */
  labels: readonly string[];
}

/** A call that waits for a person: for a yes, or for an answer to what it asks while it works. */
export interface WaitingCall {
  kind: 'approval' | 'question';
  /** The approval's or the question's. */
  id: string;
  tool: string;
  title: string;
  reason: string;
}

export interface ToolRun {
  signal: AbortSignal;
  sessionId: string | null;
  /** The turn's. */
  requestId: string | null;
  /** Sensitivity of what the model has read. */
  labels: readonly string[];
  /** Told when the call begins to wait for somebody, and when it no longer does. */
  onWaiting?: (waiting: WaitingCall, state: 'waits' | 'over') => void;
}

/** Something a model may call. */
export interface ChatTool {
  name: string;
  description: string;
  /** JSON Schema of an object. */
  inputSchema: Record<string, unknown>;
  /** Place among those that what was asked speaks of, best 0; a model that must be led is asked about these alone. */
  rank?: number;
  /** Does something beside looking: a model that must be led is offered it once a turn. */
  changes?: boolean;
  /** Comes from elsewhere, such as an MCP server. */
  imported?: boolean;
  /** Longest call, with the wait for a person; a minute where it is not said. */
  timeoutMs?: number;
  /** Bad input and failures are results; only the signal's abort is thrown. */
  run(input: unknown, options: ToolRun): Promise<ToolResult>;
}

/** Whose turn it is, and where. */
export interface ToolPlace {
  owner: Owner;
  sessionId: string | null;
}

export interface ToolRequest extends ToolPlace {
  intent: IntentId;
  forcedTool: string | null;
  /** What was asked. */
  text?: string;
}

/** What a tool brought to an agent that calls it by itself, without a model's words. */
export interface ToolFinding {
  /** As the tool gave it: evidence to show. */
  text: string;
  /** For a model: framed where it comes from outside. */
  quoted: string;
  structured: unknown;
  failed: boolean;
  /** One of our codes where it failed on our side. */
  errorCode: string | null;
  labels: readonly string[];
}

/** Which tools there are for a turn: for a user's only those that were granted. */
export interface ToolBox {
  /** Whether there is such a tool and it may be called there, perhaps after a person's yes. */
  has(name: string, place: ToolPlace): boolean;
  /** The same permissions, approvals and bounds as for a model. @throws AppError `tool_not_found`, or the signal's reason */
  call(name: string, input: Record<string, unknown>, run: ToolRun & ToolPlace): Promise<ToolFinding>;
  /** None for an intent that needs a tool means that nothing here does its work. */
  toolsFor(request: ToolRequest): readonly ChatTool[];
}

export interface AnswerTranslator {
  /** Null where the text has that language already. @throws AppError when it could not be translated */
  translate(text: string, target: Language, signal: AbortSignal): Promise<{ text: string; source: string } | null>;
}
