// ModelOperations: runs long actions on models, a few at a time, and takes up after a crash what can be taken up. It knows
// no provider and no engine; what each type of action does, its handler says.
import { AppError, toAppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import { waitAtMost } from '../shared/wait-at-most.js';
import { ByteProgress } from './byte-progress.js';
import {
  type ModelOperation,
  mayKnowOperation,
  type OperationHandler,
  type OperationRequest,
  type OperationState,
  type OperationType,
} from './model-operation.js';
import type { OperationRepository } from './ports.js';

export interface ModelOperationsOptions {
  repository: OperationRepository;
  now: () => number;
  newId: () => string;
  /** This boot's id. */
  owner: string;
  onChange: (operation: ModelOperation) => void;
  concurrency?: number;
  queueLimit?: number;
}

const HEARTBEAT_MS = 5_000;
const ATTEMPTS = 5;
const CLOSE_WITHIN_MS = 5_000;

/** Safe to run again from the start: each finds out itself what is done already. */
const RESUMABLE: ReadonlySet<OperationType> = new Set([
  'install',
  'remove',
  'adopt',
  'copy',
  'derive',
  'verify',
  'probe',
  'unload',
  'mcp_plan',
  'mcp_import',
]);

const MOST_LISTED = 500;

interface Running {
  operation: ModelOperation;
  abort: AbortController;
  done: Promise<void>;
  cancelled: boolean;
}

export class ModelOperations {
  readonly #options: ModelOperationsOptions;
  readonly #handlers = new Map<OperationType, OperationHandler>();
  readonly #running = new Map<string, Running>();
  readonly #waiting: ModelOperation[] = [];
  /** Ends that a full disk did not take; written as soon as it does. */
  readonly #unsaved = new Map<string, ModelOperation>();
  /** Those who wait for the end of one. */
  readonly #listeners = new Map<string, (() => void)[]>();
  #rewrite: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ModelOperationsOptions) {
    this.#options = options;
  }

  handle(type: OperationType, handler: OperationHandler): void {
    this.#handlers.set(type, handler);
  }

  /**
   * On disk when it returns. The same action on the same model that still runs is returned instead of a second one.
   * @throws AppError `runtime_busy` when too many wait, `shutting_down`
   */
  start(request: OperationRequest): ModelOperation {
    if (this.#closed) throw new AppError('shutting_down', 'The server is stopping.');
    const twin = this.#unfinished()
      .sort((a, b) => Number(a.idle ?? false) - Number(b.idle ?? false))
      .find(
        ({ type, modelName, runtime }) =>
          type === request.type && modelName === request.modelName && runtime === request.runtime,
      );
    // Somebody waits for this one: it does not wait for a quiet moment with its twin.
    if (twin && (!twin.idle || request.idle)) return twin;
    const limit = this.#options.queueLimit ?? 100;
    if (this.#waiting.length >= limit) throw new AppError('runtime_busy', `${limit} operations wait already.`);
    const operation: ModelOperation = {
      operationId: this.#options.newId(),
      modelName: request.modelName,
      type: request.type,
      provider: request.provider,
      runtime: request.runtime,
      status: 'pending',
      progress: 0,
      message: 'Waiting',
      receivedBytes: 0,
      totalBytes: null,
      bytesPerSecond: null,
      etaSeconds: null,
      steps: [],
      error: null,
      input: request.input ?? {},
      result: null,
      attempt: 1,
      ...(request.idle ? { idle: true } : {}),
      owner: this.#options.owner,
      heartbeatAt: null,
      startedAt: this.#options.now(),
      completedAt: null,
    };
    this.#enqueue(operation);
    return operation;
  }

  /** @throws AppError `operation_not_found`, also for one that the viewer may not know of */
  get(operationId: string, viewer: Owner = null): ModelOperation {
    const live =
      this.#running.get(operationId)?.operation ??
      this.#unsaved.get(operationId) ??
      this.#waiting.find((waiting) => waiting.operationId === operationId);
    const operation = live ?? this.#options.repository.get(operationId);
    if (!operation || !mayKnowOperation(viewer, operation))
      throw new AppError('operation_not_found', `There is no operation ${operationId}.`);
    return operation;
  }

  /** Newest first, with the live figures of what runs. */
  list(limit: number, viewer: Owner = null): ModelOperation[] {
    return this.#options.repository
      .list(viewer === null ? limit : MOST_LISTED)
      .filter((stored) => mayKnowOperation(viewer, stored))
      .slice(0, limit)
      .map(
        (stored) => this.#running.get(stored.operationId)?.operation ?? this.#unsaved.get(stored.operationId) ?? stored,
      );
  }

  /** Resolves when it has ended, in whatever way; and as it stands when the server stops. */
  async settled(operationId: string): Promise<ModelOperation> {
    const runs = () =>
      this.#running.has(operationId) || this.#waiting.some((waiting) => waiting.operationId === operationId);
    while (runs() && !this.#closed)
      await new Promise<void>((resolve) => {
        this.#listeners.set(operationId, [...(this.#listeners.get(operationId) ?? []), resolve]);
      });
    return this.get(operationId);
  }

  /** @throws AppError `operation_not_found`, `conflict` when it has ended */
  cancel(operationId: string): ModelOperation {
    const operation = this.get(operationId);
    const running = this.#running.get(operationId);
    if (running) {
      running.cancelled = true;
      running.abort.abort();
      return operation;
    }
    const index = this.#waiting.findIndex((waiting) => waiting.operationId === operationId);
    if (index === -1) throw new AppError('conflict', `Operation ${operationId} has ended: ${operation.status}.`);
    this.#waiting.splice(index, 1);
    this.#end(operation, 'cancelled', 'Cancelled', null);
    this.#tell(operationId);
    return operation;
  }

  /** The same row again, with what it remembered. @throws AppError `operation_not_found`, `conflict` */
  retry(operationId: string): ModelOperation {
    const operation = this.get(operationId);
    if (operation.status === 'completed' || operation.status === 'pending' || operation.status === 'in_progress')
      throw new AppError('conflict', `Operation ${operationId} cannot be retried: ${operation.status}.`);
    this.#enqueue({
      ...operation,
      status: 'pending',
      message: 'Waiting',
      error: null,
      completedAt: null,
      attempt: operation.attempt + 1,
      owner: this.#options.owner,
    });
    return this.get(operationId);
  }

  /** Takes up what a former boot left: goes on where that is safe, says `interrupted` where it is not. */
  recover(): { resumed: number; interrupted: number } {
    let resumed = 0;
    let interrupted = 0;
    for (const operation of this.#options.repository.unfinished()) {
      if (operation.owner === this.#options.owner) continue;
      for (const step of operation.steps)
        if (step.status === 'running') Object.assign(step, { status: 'failed', endedAt: this.#options.now() });
      if (RESUMABLE.has(operation.type) && operation.attempt < ATTEMPTS) {
        resumed += 1;
        this.#enqueue({
          ...operation,
          status: 'pending',
          message: 'Going on after a restart',
          attempt: operation.attempt + 1,
          owner: this.#options.owner,
        });
      } else {
        interrupted += 1;
        const message = 'The server stopped while this was running; nothing of it took effect. It can be retried.';
        this.#end(operation, 'interrupted', message, { code: 'interrupted', message });
      }
    }
    return { resumed, interrupted };
  }

  /** Bytes that running installations will still write, without those of `exceptId`; to one disk where it is named. */
  reservedBytes(exceptId?: string, disk?: string | null): number {
    return this.#unfinished()
      .filter(
        ({ operationId, type, input }) =>
          type === 'install' && operationId !== exceptId && (disk === undefined || input['disk'] === disk),
      )
      .reduce((sum, { totalBytes, receivedBytes }) => sum + Math.max(0, (totalBytes ?? 0) - receivedBytes), 0);
  }

  /** Stops what runs; what can go on stays as it is for the next boot. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#rewrite);
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort();
    await waitAtMost(Promise.all(running.map(({ done }) => done)), CLOSE_WITHIN_MS);
    for (const operationId of [...this.#listeners.keys()]) this.#tell(operationId);
  }

  #tell(operationId: string): void {
    const listeners = this.#listeners.get(operationId) ?? [];
    this.#listeners.delete(operationId);
    for (const listener of listeners) listener();
  }

  #unfinished(): ModelOperation[] {
    return [...[...this.#running.values()].map(({ operation }) => operation), ...this.#waiting];
  }

  #enqueue(operation: ModelOperation): void {
    this.#save(operation);
    if (!operation.idle) this.#endIdle(operation);
    this.#waiting.push(operation);
    queueMicrotask(() => this.#next());
  }

  /** Of the same model, where somebody waits for `successor`. */
  #endIdle(successor: ModelOperation): void {
    for (const running of this.#running.values()) {
      if (!running.operation.idle || keyOf(running.operation) !== keyOf(successor)) continue;
      running.operation.result = { gave_way_to: successor.operationId };
      running.cancelled = true;
      running.abort.abort();
    }
  }

  #next(): void {
    const places = this.#options.concurrency ?? 3;
    while (!this.#closed) {
      const running = [...this.#running.values()].map(({ operation }) => operation);
      const full = running.filter(({ idle }) => !idle).length >= places;
      // Never two at once on one model: an installation and its removal would work against each other.
      const busy = new Set(running.map(keyOf));
      const index = this.#waiting.findIndex(
        (operation) => !busy.has(keyOf(operation)) && (operation.idle ? running.every(({ idle }) => !idle) : !full),
      );
      if (index === -1) return;
      const [operation] = this.#waiting.splice(index, 1);
      if (operation) this.#run(operation);
    }
  }

  #run(operation: ModelOperation): void {
    const running: Running = { operation, abort: new AbortController(), done: Promise.resolve(), cancelled: false };
    this.#running.set(operation.operationId, running);
    running.done = this.#work(running).finally(() => {
      this.#running.delete(operation.operationId);
      this.#tell(operation.operationId);
      this.#next();
    });
  }

  async #work({ operation, abort }: Running): Promise<void> {
    const { now } = this.#options;
    operation.status = 'in_progress';
    operation.message = 'Started';
    operation.heartbeatAt = now();
    this.#save(operation);
    const heartbeat = setInterval(() => {
      operation.heartbeatAt = now();
      this.#save(operation);
    }, HEARTBEAT_MS);
    const bytes = new ByteProgress(operation);
    try {
      const handler = this.#handlers.get(operation.type);
      if (!handler) throw new AppError('unsupported', `Nothing here can do ${operation.type}.`);
      const result = await handler({
        operation,
        signal: abort.signal,
        step: (name, message) => {
          this.#closeStep(operation, 'done');
          operation.steps.push({ name, status: 'running', message: message ?? null, startedAt: now(), endedAt: null });
          operation.message = message ?? name;
          this.#save(operation);
        },
        progress: (receivedBytes, totalBytes, message) => {
          const due = bytes.update(receivedBytes, totalBytes, message);
          if (due === 'write') {
            operation.heartbeatAt = now();
            this.#save(operation);
          } else if (due === 'tell') this.#options.onChange(operation);
        },
        remember: (input) => {
          operation.input = { ...operation.input, ...input };
          this.#save(operation);
        },
      });
      this.#closeStep(operation, 'done');
      operation.result = result;
      operation.progress = 100;
      this.#end(operation, 'completed', 'Done', null);
    } catch (thrown) {
      const error = toAppError(thrown);
      // Stopped with the server, not by a person: the row stays as it is, and the next boot goes on.
      const running = this.#running.get(operation.operationId);
      if (this.#closed && !running?.cancelled && RESUMABLE.has(operation.type)) return;
      this.#closeStep(operation, 'failed', error.message);
      if (running?.cancelled)
        this.#end(operation, 'cancelled', operation.result?.['gave_way_to'] ? 'Gave way' : 'Cancelled', null);
      else this.#end(operation, 'failed', error.message, { code: error.code, message: error.message });
    } finally {
      clearInterval(heartbeat);
    }
  }

  #closeStep(operation: ModelOperation, status: 'done' | 'failed', message?: string): void {
    const last = operation.steps.at(-1);
    if (last?.status !== 'running') return;
    last.status = status;
    last.endedAt = this.#options.now();
    if (message) last.message = message;
  }

  #end(operation: ModelOperation, status: OperationState, message: string, error: ModelOperation['error']): void {
    operation.status = status;
    operation.message = message;
    operation.error = error;
    operation.completedAt = this.#options.now();
    operation.bytesPerSecond = null;
    operation.etaSeconds = null;
    this.#save(operation);
  }

  #save(operation: ModelOperation): void {
    try {
      this.#options.repository.save(operation);
      this.#unsaved.delete(operation.operationId);
    } catch (error) {
      // What was never written was never promised. What was must not stay "running" because the disk is full.
      if (!(error instanceof AppError) || operation.status === 'pending') throw error;
      if (operation.completedAt !== null) this.#unsaved.set(operation.operationId, operation);
      this.#rewrite ??= setInterval(() => this.#saveAgain(), HEARTBEAT_MS).unref();
    }
    this.#options.onChange(operation);
  }

  #saveAgain(): void {
    for (const operation of this.#unsaved.values()) this.#save(operation);
    if (this.#unsaved.size > 0) return;
    clearInterval(this.#rewrite);
    this.#rewrite = undefined;
  }
}

const keyOf = ({ modelName, runtime }: ModelOperation): string => `${runtime}|${modelName}`;
