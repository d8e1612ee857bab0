// ModelOperation: one long action on a model as a row with steps, progress and an end. See ModelOperations for the runner.

export const OPERATION_TYPES = [
  'install',
  'remove',
  'activate',
  'switch',
  'unload',
  'adopt',
  'verify',
  'rollback',
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
  error: { code: string; message: string } | null;
  /** What the runner needs to go on after a crash. */
  input: Readonly<Record<string, unknown>>;
  result: Readonly<Record<string, unknown>> | null;
  attempt: number;
  /** The boot that runs it; another boot's running operation was interrupted. */
  owner: string | null;
  heartbeatAt: number | null;
  startedAt: number;
  completedAt: number | null;
}
