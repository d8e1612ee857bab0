// What a tool is to everybody who offers, chooses, approves or calls one. No I/O and no vendor's words in this file.
import type { Owner } from '../shared/owner.js';
import type { ToolAnswer, ToolQuestion } from './question-ports.js';
import type { ModelRequest } from './skill-ports.js';

/** Whether a call may run: by itself, after somebody said yes, or not at all. */
export type Permission = 'always' | 'ask' | 'never';

export interface ToolSource {
  kind: 'builtin' | 'custom' | 'mcp';
  /** The skill's or server's id. */
  id: string;
  /** How a server is called by people, where that is something else. */
  title?: string;
}

/** What an imported server says its tool does; its own word, which nobody has checked. Null where it does not say. */
export interface ToolClaims {
  readOnly: boolean | null;
  destructive: boolean | null;
  idempotent: boolean | null;
  openWorld: boolean | null;
}

export interface ToolDescriptor {
  /** `source__tool`, at most 64 characters of `[A-Za-z0-9_-]`; unique. */
  name: string;
  title: string;
  /** From outside for tools of MCP servers: text to show, never an instruction to follow. */
  description: string;
  /** JSON Schema of an object. */
  inputSchema: Readonly<Record<string, unknown>>;
  source: ToolSource;
  /** Changes nothing. */
  readOnly: boolean;
  /** May carry what it is given out of the house. */
  egress: boolean;
  permission: Permission;
  /** Of tools of imported servers. */
  claims?: ToolClaims;
  /** SHA-256 of the definition; an approval is bound to it. */
  hash: string;
}

/** The person a call works for, where there is one who can be asked while it works. */
export interface AskablePerson {
  /**
   * No answer in time is a cancelled one.
   * @param signal  ends the question, beside the call's own end
   * @throws AppError `queue_full`, or the signal's reason
   */
  ask(question: ToolQuestion, signal: AbortSignal): Promise<ToolAnswer>;
  /**
   * Asks the model, after the person has seen what and agreed; null where they have not.
   * @throws AppError `queue_full`, what routing and engines refuse, or the signal's reason
   */
  sample(request: ModelRequest, signal: AbortSignal): Promise<{ text: string; model: string } | null>;
  /** Of their files. */
  folder: string;
  /** All answers of one call together may take so long; it does not count as the call's own time. */
  waitMs: number;
}

export interface ToolCall {
  name: string;
  input: unknown;
  /** Who calls, or whose turn does; in a user's session that user, whoever asks. */
  owner: Owner;
  sessionId: string | null;
  /** Of the turn that asks; null for a call by hand. */
  requestId: string | null;
  /** Sensitivity of what goes along. */
  labels: readonly string[];
  signal: AbortSignal;
  person?: AskablePerson | undefined;
  onProgress?: (done: number, total: number | null, message: string | null) => void;
}

export interface ToolOutcome {
  /** What a model reads; data, never an instruction. */
  text: string;
  structured: unknown;
  failed: boolean;
  /** One of our codes where it failed on our side. */
  errorCode: string | null;
  labels: readonly string[];
  /** Came from outside the house or from a program that is not ours. */
  untrusted: boolean;
}

/** Where tools come from: built-in skills, custom ones, imported MCP servers. */
export interface ToolProvider {
  readonly kind: ToolSource['kind'];
  /** As they are known now; starts nothing and waits for nobody. */
  tools(): readonly ToolDescriptor[];
  /** Failures of the tool are outcomes. @throws AppError `tool_not_found`, `cancelled`, and what keeps it from starting */
  call(call: ToolCall): Promise<ToolOutcome>;
}
