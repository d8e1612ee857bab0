// ModelOperation: one long action on a model as a row with steps, byte progress and one end; and what its handler is given.
import type { ErrorCode } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';

export const OPERATION_TYPES = [
  'install',
  'remove',
  'activate',
  'switch',
  'unload',
  'adopt',
  'copy',
  'derive',
  'verify',
  'probe',
  'rollback',
  'mcp_plan',
  'mcp_import',
] as const;
export type OperationType = (typeof OPERATION_TYPES)[number];

export const OPERATION_STATES = ['pending', 'in_progress', 'completed', 'failed', 'cancelled', 'interrupted'] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

export interface OperationStep {
  name: string;
  status: 'running' | 'done' | 'failed';
  message: string | null;
  startedAt: number;
  endedAt: number | null;
}

export interface ModelOperation {
  operationId: string;
  modelName: string;
  type: OperationType;
  provider: string;
  runtime: string;
  status: OperationState;
  /** 0 to 100. */
  progress: number;
  message: string;
  receivedBytes: number;
  totalBytes: number | null;
  bytesPerSecond: number | null;
  /** Seconds; null when it cannot be told. */
  etaSeconds: number | null;
  steps: OperationStep[];
  error: { code: ErrorCode; message: string } | null;
  /** What the runner needs to go on after a crash. */
  input: Readonly<Record<string, unknown>>;
  result: Readonly<Record<string, unknown>> | null;
  attempt: number;
  /** Nobody waits for it: it takes no place of others, and ends for whatever else is to be done with its model. */
  idle?: boolean;
  /** The boot that runs it; an unfinished operation of another boot was interrupted. */
  owner: string | null;
  /** Milliseconds since the epoch, UTC, as every instant here. */
  heartbeatAt: number | null;
  startedAt: number;
  completedAt: number | null;
}

export interface OperationContext {
  readonly operation: Readonly<ModelOperation>;
  readonly signal: AbortSignal;
  /** Ends the running step and begins the next; on disk when it returns. */
  step(name: string, message?: string): void;
  /** Bytes are told at once, and written at most once per second. */
  progress(receivedBytes: number, totalBytes: number | null, message?: string): void;
  /** Keeps something the next attempt needs, such as a pinned plan; on disk when it returns. */
  remember(input: Readonly<Record<string, unknown>>): void;
}

/** Returns what to keep as the operation's result. Must end soon after its signal aborts. */
export type OperationHandler = (context: OperationContext) => Promise<Record<string, unknown> | null>;

export interface OperationRequest {
  type: OperationType;
  modelName: string;
  provider: string;
  runtime: string;
  input?: Readonly<Record<string, unknown>>;
  idle?: boolean;
}

/** What is done to models everybody may know; imports of MCP servers tell of folders, addresses and secrets. */
export const mayKnowOperation = (viewer: Owner, { type }: Pick<ModelOperation, 'type'>): boolean =>
  viewer === null || !type.startsWith('mcp_');
