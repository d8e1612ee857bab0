// What chat/ needs from outside. No I/O and no vendor's words in this file.
import type { AnswerReceipt, RanWith } from '../routing/decision.js';
import type { Owner } from '../shared/owner.js';

export type MessageRole = 'user' | 'assistant' | 'system';
export type MessageStatus = 'complete' | 'streaming' | 'interrupted' | 'failed' | 'cancelled';

export interface TurnUsage {
  promptTokens: number | null;
  cachedPromptTokens: number | null;
  completionTokens: number | null;
  timeToFirstTokenMs: number | null;
  durationMs: number;
  tokensPerSecond: number | null;
  /** How the parameters reached the engine; absent in answers of earlier versions. */
  ranWith?: RanWith | null;
}

export interface StoredMessage {
  /** Order within the session; never reused. */
  seq: number;
  sessionId: string;
  requestId: string;
  role: MessageRole;
  content: string;
  status: MessageStatus;
  model: string | null;
  error: { code: string; message: string } | null;
  usage: TurnUsage | null;
  /** Kinds of sensitive text in it; they stick. */
  labels?: readonly string[] | undefined;
  /** Of an answer: who was asked, with how much, and why. */
  receipt?: AnswerReceipt | null | undefined;
  /** What the model thought before it answered; never sent to a model again. */
  thought?: string | null | undefined;
  /** Milliseconds since the epoch, UTC. */
  createdAt: number;
}

export interface SessionSummary {
  sessionId: string;
  title: string;
  createdAt: number;
  updatedAt: number;
  messageCount: number;
  preview: string;
  /** Stays on top of the list. */
  pinned: boolean;
}

export interface TurnStart {
  sessionId: string;
  requestId: string;
  userText: string;
  model: string;
  idempotencyKey: string | null;
  /** What the assistant is told in this conversation from now on, '' nothing; absent leaves it as it is. */
  instructions?: string | undefined;
  /** Of the question. */
  labels?: readonly string[] | undefined;
  at: number;
}

/** Further text of a running answer, and of the thought before it. */
export interface PartialText {
  text: string;
  thought: string;
}

export interface TurnEnd {
  requestId: string;
  text: string;
  thought?: string;
  status: Exclude<MessageStatus, 'streaming'>;
  error: { code: string; message: string } | null;
  usage: TurnUsage | null;
  receipt?: AnswerReceipt | null | undefined;
  /** Where it is known only at the end; null where no model answered. */
  model?: string | null;
}

/** What a person chose for a session; what is absent stays. */
export interface SessionChange {
  title?: string | undefined;
  pinned?: boolean | undefined;
  /** '' takes them back. */
  instructions?: string | undefined;
}

export interface SessionPage {
  limit: number;
  offset: number;
  query: string;
  /** Whose sessions; the house, which is meant where nobody is named, sees all of them. */
  viewer?: Owner | undefined;
}

/** Something that was said elsewhere, as it comes into a session. */
export type BroughtMessage = Omit<StoredMessage, 'seq' | 'sessionId'>;

export interface BroughtConversation {
  sessionId: string;
  title: string;
  instructions: string;
  messages: readonly BroughtMessage[];
}

/** Where sessions are kept. Everything that returns a promise resolves when it is on disk. */
export interface SessionRepository {
  /** What `ask` writes, here and elsewhere in the same store, is one commit; it must ask for all of it before it waits. */
  together<T>(ask: () => T): T;
  /** Question and empty answer as two messages in one commit. */
  beginTurn(turn: TurnStart): Promise<void>;
  /** Further text of running answers; may be lost in a crash up to the last call. */
  appendParts(parts: ReadonlyMap<string, PartialText>): void;
  endTurn(end: TurnEnd): Promise<void>;
  /** An answer that ended without its text is written again. False where the session no longer has it. */
  reopenTurn(requestId: string): Promise<boolean>;
  append(message: Omit<StoredMessage, 'seq'>): Promise<number>;
  /** A new session with all it begins with, in one commit. False where there is one of that name. */
  bringIn(conversation: BroughtConversation, at: number): Promise<boolean>;
  /** Answers a former process left unfinished: their parts become text. Returns how many. */
  interruptUnfinished(): number;
  adoptBoot(bootId: string): void;
  list(page: SessionPage): { sessions: SessionSummary[]; total: number };
  summary(sessionId: string): SessionSummary | undefined;
  /** Oldest first, the last `limit` before `beforeSeq`. */
  messages(sessionId: string, page: { limit: number; beforeSeq?: number | undefined }): StoredMessage[];
  /** The last messages that have text, oldest first, together at most `maxChars` long. */
  recentTexts(sessionId: string, maxChars: number): { role: MessageRole; content: string }[];
  /** Bytes of everything that was said, without reading it. */
  textBytes(sessionId: string): number;
  answer(requestId: string): StoredMessage | undefined;
  question(requestId: string): StoredMessage | undefined;
  /** Answers that have ended, of any session, newest first. */
  newestAnswers(limit: number): StoredMessage[];
  /** Answers with a receipt, oldest first, after `afterSeq`. */
  receipts(sessionId: string, page: { limit: number; afterSeq: number }): StoredMessage[];
  requestOf(idempotencyKey: string): string | undefined;
  /** In one commit. Whether there is such a session. */
  change(sessionId: string, change: SessionChange, at: number): Promise<boolean>;
  /** What the assistant is told in this conversation; '' where nothing is. */
  instructions(sessionId: string): string;
  /** A better title than the first words, unless a person or an earlier call gave one. Whether it was taken. */
  suggestTitle(sessionId: string, title: string): Promise<boolean>;
  /** Whether its title is still the one of its first words, or made of them. */
  mayName(sessionId: string): boolean;
  /** A model's title in place of ours; null keeps ours for good. Whether it was taken. */
  nameByModel(sessionId: string, title: string | null): Promise<boolean>;
  remove(sessionId: string): Promise<boolean>;
  truncate(sessionId: string, fromSeq: number): Promise<number>;
  /** Messages that were written before, and the sessions that are empty then; returns those sessions' ids. */
  removeOlderThan(createdBefore: number): Promise<{ messages: number; sessionIds: string[] }>;
}

export interface TraceStep {
  component: string;
  action: string;
  timestamp: string;
  status: 'ok' | 'error' | 'blocked';
  details: string | null;
}

export type TraceStatus = 'PENDING' | 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'LOST';

export interface RequestTrace {
  requestId: string;
  /** Whose; absent in traces of earlier versions, which are the house's. */
  owner?: Owner;
  status: TraceStatus;
  /** At most 500 characters. */
  prompt: string;
  sessionId: string | null;
  createdAt: string;
  finishedAt: string | null;
  lastActivityAt: number;
  steps: TraceStep[];
  provider: string | null;
  model: string | null;
  endpoint: string | null;
  configHash: string | null;
  runtimeId: string | null;
  error: {
    code: string;
    class: string;
    message: string;
    stage: string;
    retryable: boolean;
    details?: Record<string, unknown> | null;
  } | null;
  forced?: { tool: string | null; provider: string | null; intent: string | null };
  /** As the contract's history shows it. */
  routingDecision?: Record<string, unknown> | null;
  contextUsed?: { lessons: string[]; memoryEntries: string[] } | null;
  /** What did not fit, by part, and in which way the search for memories was less than it could be. */
  contextLimits?: { dropped: readonly { part: string; tokens: number }[]; degraded: string | null } | null;
  firstToken: { at: string; elapsedMs: number; preview: string } | null;
  streaming: { chunkCount: number; firstChunkMs: number | null; lastEmitMs: number | null } | null;
  generationParams: Record<string, unknown> | null;
  /** While it runs, and for good where no message keeps it. */
  receipt?: AnswerReceipt | null | undefined;
  /** Where no message keeps it. */
  usage?: TurnUsage | null;
  ranWith?: RanWith | null;
}

export interface TracePage {
  limit: number;
  offset: number;
  status?: TraceStatus | undefined;
  /** Whose requests; the house sees all of them. */
  viewer?: Owner | undefined;
}

export interface TraceRepository {
  save(traces: Iterable<RequestTrace>): void;
  list(page: TracePage): RequestTrace[];
  get(requestId: string): RequestTrace | undefined;
  running(): RequestTrace[];
}

export interface StateRepository {
  load(): Map<string, string>;
  save(entries: ReadonlyMap<string, string>): void;
}

/** Sees that what is sensitive in a session's texts sticks to it. */
export interface SessionLabelling {
  /**
   * Kinds in a text that came into a session other than as a question that was routed. A promise where the text is too long
   * to be read in one go.
   */
  label(sessionId: string, text: string, role: MessageRole): readonly string[] | Promise<readonly string[]>;
}

/** Tells the world; never throws, never waits. */
export interface EventSink {
  /** @param owner  whose it is, where neither a session nor a request in `data` says so */
  publish(
    type: string,
    message: string,
    data?: Record<string, unknown> | null,
    agent?: string | null,
    owner?: Owner,
  ): void;
}
