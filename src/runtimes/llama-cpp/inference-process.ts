// One inference process for one model: started, watched, ended. Its death is an error of the requests it carried.
import { type ChildProcess, fork } from 'node:child_process';
import { AppError } from '../../shared/errors.js';
import type { FromWorker, ToWorker } from './worker-protocol.js';

const LOAD_LIMIT_MS = 300_000;
const END_LIMIT_MS = 2_000;
const ENVIRONMENT = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TEMP',
  'SYSTEMROOT',
  'LD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
];

export type LoadedFigures = Omit<Extract<FromWorker, { type: 'loaded' }>, 'type'>;
type Answer = Exclude<FromWorker, { type: 'loaded' }>;
/** After one of these there is no more. */
const LAST: ReadonlySet<Answer['type']> = new Set(['end', 'counted', 'vectors', 'failed']);

export class InferenceProcess {
  readonly #child: ChildProcess;
  readonly #listeners = new Map<number, (answer: Answer | AppError) => void>();
  readonly #ended: Promise<void>;
  readonly #onCrash: (() => void)[] = [];
  #nextId = 1;
  #alive = true;
  #stopping = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#alive = false;
        const error = this.#stopping
          ? new AppError('cancelled', 'The model was unloaded.')
          : new AppError(
              'runtime_crashed',
              `The inference process ended unexpectedly (${signal ?? `exit code ${code}`}); it starts again with the next request.`,
            );
        for (const listener of [...this.#listeners.values()]) listener(error);
        this.#listeners.clear();
        if (!this.#stopping) for (const listener of this.#onCrash) listener();
        resolve();
      });
    });
    child.on('message', (message: FromWorker) => {
      if ('id' in message && message.id !== null) this.#listeners.get(message.id)?.(message as Answer);
    });
    child.on('error', () => {});
  }

  /** @throws AppError `runtime_crashed`, `insufficient_memory`, `invalid_model` when the library refuses the file, `cancelled` */
  static async start(
    workerPath: string,
    order: Extract<ToWorker, { type: 'load' }>,
    signal: AbortSignal,
  ): Promise<{ process: InferenceProcess; figures: LoadedFigures }> {
    const env = Object.fromEntries(
      ENVIRONMENT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    );
    const child = fork(workerPath, [], {
      env: env as NodeJS.ProcessEnv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    const inference = new InferenceProcess(child);
    const figures = await new Promise<LoadedFigures>((resolve, reject) => {
      let failure: AppError | undefined;
      const fail = (error: AppError) => {
        failure ??= error;
        // Told when it is gone, and not before: its memory is what the next load needs.
        void inference.end();
      };
      const abort = () => fail(new AppError('cancelled', 'The load was given up.'));
      const timer = setTimeout(
        () => fail(new AppError('runtime_crashed', `The model was not loaded within ${LOAD_LIMIT_MS / 1_000} s.`)),
        LOAD_LIMIT_MS,
      );
      const settled = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      child.once('exit', (code, killedBy) => {
        settled();
        reject(
          failure ??
            new AppError(
              'runtime_crashed',
              `The inference process ended while loading the model (${killedBy ?? `exit code ${code}`}).`,
              { details: { signal: killedBy } },
            ),
        );
      });
      child.on('message', (message: FromWorker) => {
        if (message.type === 'loaded') {
          settled();
          const { type: _type, ...rest } = message;
          resolve(rest);
        } else if (message.type === 'failed' && message.id === null) {
          const code = message.code === 'insufficient_memory' ? message.code : 'invalid_model';
          fail(new AppError(code, `The model could not be loaded: ${message.message}`));
        }
      });
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      else child.send(order);
    });
    return { process: inference, figures };
  }

  get alive(): boolean {
    return this.#alive && !this.#stopping;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Called when it ends without having been told to; at once when it already has. */
  onCrash(listener: () => void): void {
    if (this.#alive) this.#onCrash.push(listener);
    else if (!this.#stopping) listener();
  }

  /** 0 = no limit. Heard with the next token. */
  limitThreads(limit: number): void {
    if (this.#alive && this.#child.connected) this.#child.send({ type: 'threads', limit } satisfies ToWorker);
  }

  /** `onAnswer` is called until an end, a failure, or an AppError for a crash. */
  ask(
    order:
      | Omit<Extract<ToWorker, { type: 'generate' }>, 'id'>
      | Omit<Extract<ToWorker, { type: 'embed' }>, 'id'>
      | Omit<Extract<ToWorker, { type: 'count' }>, 'id'>
      | Omit<Extract<ToWorker, { type: 'count-text' }>, 'id'>,
    onAnswer: (answer: Answer | AppError) => void,
  ): { cancel: () => void } {
    const id = this.#nextId;
    this.#nextId += 1;
    if (!this.alive) {
      onAnswer(new AppError('runtime_crashed', 'The inference process is not running.'));
      return { cancel: () => {} };
    }
    this.#listeners.set(id, (answer) => {
      if (answer instanceof AppError || LAST.has(answer.type)) this.#listeners.delete(id);
      onAnswer(answer);
    });
    this.#child.send({ ...order, id } as ToWorker);
    return {
      cancel: () => {
        if (this.#alive && this.#child.connected) this.#child.send({ type: 'cancel', id } satisfies ToWorker);
      },
    };
  }

  async end(): Promise<void> {
    this.#stopping = true;
    if (!this.#alive) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
