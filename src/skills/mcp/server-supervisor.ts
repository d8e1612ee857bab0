// The life of one server's shared connection: started when it is needed, ended when nobody needs it, started again after a
// pause when it crashed, and left alone when it crashes for ever.
import { abortable } from '../../shared/abortable.js';
import { AppError, toAppError } from '../../shared/errors.js';
import type { McpConnection } from './mcp-connection.js';

const CRASHES_MAX = 5;
const CRASHES_WITHIN_MS = 60_000;
const BACK_OFF_MS = 250;
const BACK_OFF_MAX_MS = 8_000;

export interface SupervisorOptions {
  server: string;
  /** Connected and looked at; counts as started only then. */
  open: (onLost: (failure: AppError) => void, signal: AbortSignal) => Promise<McpConnection>;
  now: () => number;
  /** Ended after so long without use. */
  idleMs: number;
  /** Ended at the first quiet moment after so long, whatever it does. */
  lifetimeMs: number;
  onChange: () => void;
}

export interface Lease {
  connection: McpConnection;
  /** Safe to call twice. */
  release(): void;
}

export class ServerSupervisor {
  restarts = 0;
  lastError: { code: AppError['code']; message: string; at: number } | null = null;
  readonly #options: SupervisorOptions;
  #connection: McpConnection | undefined;
  #starting: Promise<McpConnection> | undefined;
  #stopStart = new AbortController();
  #crashes: number[] = [];
  #startedAt = 0;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): 'known' | 'starting' | 'running' | 'backing_off' | 'crash_loop' {
    if (this.#connection?.open) return 'running';
    if (this.#looping) return 'crash_loop';
    if (this.#starting) return this.#waitMs() > 0 ? 'backing_off' : 'starting';
    return this.#waitMs() > 0 ? 'backing_off' : 'known';
  }

  get connection(): McpConnection | undefined {
    return this.#connection?.open ? this.#connection : undefined;
  }

  /** @throws AppError what keeps it from starting; `mcp_crashed` in a crash loop; `cancelled` */
  async acquire(signal?: AbortSignal): Promise<Lease> {
    if (this.#closed) throw new AppError('mcp_server_disabled', `${this.#options.server} is being stopped.`);
    this.#users += 1;
    clearTimeout(this.#idle);
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      this.#users -= 1;
      this.#whenQuiet();
    };
    try {
      // One caller's patience is not the others': the start goes on.
      const starting = this.#start();
      return { connection: await (signal ? abortable(starting, signal) : starting), release };
    } catch (error) {
      release();
      if (signal?.aborted)
        throw new AppError('cancelled', `Waiting for ${this.#options.server} was cancelled.`, { cause: error });
      throw error;
    }
  }

  /**
   * Before somebody starts the same server beside the shared one: the same pauses after the same crashes.
   * @throws AppError `mcp_crashed` in a crash loop; `cancelled`
   */
  async mayStart(signal: AbortSignal): Promise<void> {
    if (this.#looping) throw this.#loop();
    await pause(this.#waitMs(), signal);
    if (signal.aborted) throw new AppError('cancelled', `Waiting for ${this.#options.server} was cancelled.`);
  }

  /** One that was started beside the shared one ended by itself. */
  crashedBeside(failure: AppError): void {
    this.#count(failure);
  }

  /** By a person: forgets the crashes. */
  async restart(): Promise<void> {
    this.#crashes = [];
    this.lastError = null;
    await this.stop();
  }

  /** The next use starts it again. */
  async stop(): Promise<void> {
    clearTimeout(this.#idle);
    this.#stopStart.abort();
    this.#stopStart = new AbortController();
    await this.#starting?.catch(() => {});
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
    this.#options.onChange();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.stop();
  }

  get #looping(): boolean {
    return this.#crashes.length >= CRASHES_MAX;
  }

  #start(): Promise<McpConnection> {
    if (this.#connection?.open) return Promise.resolve(this.#connection);
    if (this.#looping) return Promise.reject(this.#loop());
    this.#starting ??= this.#startOnce(this.#stopStart.signal).finally(() => {
      this.#starting = undefined;
      this.#options.onChange();
    });
    return this.#starting;
  }

  async #startOnce(signal: AbortSignal): Promise<McpConnection> {
    const { open, now, onChange } = this.#options;
    onChange();
    await pause(this.#waitMs(), signal);
    if (signal.aborted) throw new AppError('cancelled', `${this.#options.server} is being stopped.`);
    if (this.#startedAt > 0) this.restarts += 1;
    this.#startedAt = now();
    onChange();
    let lost = false;
    try {
      const connection = await open((failure) => {
        lost = true;
        this.#failed(failure);
      }, signal);
      this.#connection = connection;
      return connection;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code !== 'cancelled' && !lost) this.#failed(error);
      throw thrown;
    }
  }

  #failed(failure: AppError): void {
    this.#connection = undefined;
    this.#count(failure);
  }

  #count(failure: AppError): void {
    const { now, onChange } = this.#options;
    const at = now();
    this.lastError = { code: failure.code, message: failure.message, at };
    // It waits for a person, and no pause would help.
    if (failure.code !== 'mcp_authorization_required')
      this.#crashes = [...this.#crashes.filter((crash) => crash > at - CRASHES_WITHIN_MS), at];
    onChange();
  }

  #loop(): AppError {
    return new AppError(
      'mcp_crashed',
      `${this.#options.server} ended ${CRASHES_MAX} times within ${CRASHES_WITHIN_MS / 1_000} s and is left alone until it is restarted: ${this.lastError?.message ?? 'unknown'}`,
    );
  }

  #waitMs(): number {
    const last = this.#crashes.at(-1);
    if (last === undefined) return 0;
    const backOff = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** (this.#crashes.length - 1));
    return Math.max(0, last + backOff - this.#options.now());
  }

  #whenQuiet(): void {
    if (this.#users > 0 || this.#closed) return;
    const { idleMs, lifetimeMs, now } = this.#options;
    const left = Math.max(0, this.#startedAt + lifetimeMs - now());
    clearTimeout(this.#idle);
    this.#idle = setTimeout(
      () => {
        if (this.#users === 0) void this.stop();
      },
      Math.min(idleMs, left),
    ).unref();
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}
