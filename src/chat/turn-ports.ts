// What a turn needs from routing, memory and the background, as the pipeline sees it.
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { AnswerReceipt, RanWith, RoutingDecision, TaskType } from '../routing/decision.js';
import type { Owner } from '../shared/owner.js';
import type { IntentId, Language } from './intent.js';

export interface RouteRequest {
  /** What would leave the house: the person's words and all that goes along with them. */
  text: string;
  mode: 'direct' | 'normal' | 'complex' | 'background';
  taskType: TaskType;
  sessionId: string | null;
  /** A model the caller named; the active one otherwise. */
  model?: string | undefined;
  forcedProvider?: string | undefined;
  forcedTool?: string | undefined;
  /** Whether pictures go along: nobody here can read what is in them. */
  images?: boolean | undefined;
  /** `text` retells what was said before, a model's words among it: only shapes are looked for, as in answers. */
  retold?: boolean | undefined;
  /** Labels that stick to what goes along (memory, tool results). The session's own are known to the router. */
  labels: readonly string[];
  /** What goes along with `text`, such as earlier messages; asked for only where a cloud could answer. */
  context?: (() => string) | undefined;
  /** Null or absent where it is not known. */
  language?: string | null | undefined;
}

/** Of a call to an engine, without what the turn adds. */
export type CallParameters = Omit<LanguageModelV4CallOptions, 'prompt' | 'abortSignal'>;

/** An engine and a model that can be asked. */
export interface ChatTarget {
  provider: string;
  endpoint: string | null;
  model: string;
  runtimeId: string;
  configHash: string;
  /** Batches of parts, so that many tokens in one packet cost one hop. */
  stream(options: LanguageModelV4CallOptions): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>>;
  /** What becomes of a call's parameters; after the stream has ended, what became of them. */
  ranWith?(options: CallParameters, unknown: readonly string[]): RanWith;
}

/** Asking `stream` does what `decision` says: gate, masks, retries, fallback before the first byte. */
export interface RoutedTarget extends ChatTarget {
  readonly decision: RoutingDecision;
  /** Complete once the stream has ended. */
  receipt(): AnswerReceipt;
}

export interface ChatRouter {
  /** @throws AppError `no_model`, `model_not_found`, `sensitive_blocked`, `budget_exceeded`, `no_endpoint` */
  route(request: RouteRequest): Promise<RoutedTarget>;
}

export interface ContextRequest {
  sessionId: string | null;
  /** Whose turn: only what is theirs, and what is for everybody, goes in. The house where it is not said. */
  owner?: Owner | undefined;
  /** The turn that asks: its own message is in the session already and is no part of its history. */
  requestId?: string | undefined;
  text: string;
  intent: IntentId;
  language: Language | null;
  /** Tokens for everything that is sent. The person's words are never cut for the rest. */
  budgetTokens: number;
  countTokens(text: string): number | Promise<number>;
  systemPrompt: string;
  /** What a person wants in this conversation; absent, what its session keeps. */
  instructions?: string | undefined;
  preferences: { scope?: string; tone?: string; styleNotes?: string; language?: string };
  extra: { files?: string[]; links?: string[]; paths?: string[]; notes?: string[] };
  /** A forced tool sees the clean text. */
  withHistory: boolean;
  withMemory: boolean;
  signal: AbortSignal;
}

export interface RecalledEntry {
  id: string;
  text: string;
  kind: 'fact' | 'summary' | 'knowledge' | 'lesson';
  source: string;
  /** 0..1, higher is nearer. */
  score: number;
  labels: readonly string[];
}

export interface BuiltContext {
  messages: { role: 'system' | 'user' | 'assistant'; content: string }[];
  recalled: RecalledEntry[];
  lessons: { id: string; text: string }[];
  hiddenPrompts: number;
  /** What did not fit, by part. */
  dropped: { part: 'history' | 'memory' | 'lessons' | 'summary' | 'extra'; tokens: number }[];
  tokens: number;
  /** Such as `lexical_only` where no embedder is present. */
  degraded: string | null;
  /** Of everything that went in. */
  labels: readonly string[];
}

export interface ContextBuilder {
  build(request: ContextRequest): Promise<BuiltContext>;
}

/** A turn that has ended, as the background sees it. */
export interface FinishedTurn {
  requestId: string;
  sessionId: string | null;
  mode: 'direct' | 'normal' | 'complex';
  intent: IntentId | null;
  toolRequired: boolean;
  prompt: string;
  answer: string;
  success: boolean;
  error: string | null;
  model: string | null;
  language: Language | null;
  storeKnowledge: boolean;
  labels: readonly string[];
  finishedAt: number;
}

export interface TurnResults {
  /** Durable when it returns; the work itself comes later and never delays an answer. */
  enqueue(turn: FinishedTurn): void;
}
