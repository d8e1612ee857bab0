// RequestTracer (`tracer`): what happened to each request, step by step. Debounced to disk; a watchdog names those that
// fell silent.
import { type Clock, isoUtc } from '../../shared/clock.js';
import { DebouncedWriter } from '../../shared/debounced-writer.js';
import { maySee, type Owner, ownerOfSession } from '../../shared/owner.js';
import type { RequestTrace, TracePage, TraceRepository, TraceStatus, TraceStep } from '../ports.js';

const SAVE_DELAY_MS = 1_000;
const WATCHDOG_MS = 60_000;
const LEAST_WATCHDOG_MS = 50;
const PROMPT_CHARS = 500;
const MAX_STEPS = 500;
const RESPONSE_CHARS = 4_000;

/** How a request ended, from where answers are kept. */
export interface StoredEnd {
  requestId: string;
  owner: Owner;
  sessionId: string | null;
  prompt: string;
  text: string;
  status: 'complete' | 'failed' | 'cancelled' | 'interrupted';
  error: { code: string; message: string } | null;
  model: string | null;
  /** Milliseconds since the epoch, UTC. */
  createdAt: number;
  /** Who answered, as its steps name it. */
  component: string;
}

export interface TracerOptions {
  lostAfterMs: number;
  /** Whether somebody is still at work on a request, however silent: an engine may read a long prompt for minutes. */
  isAlive?: ((requestId: string) => boolean) | undefined;
  /** Each request that ended. Must not throw. */
  onFinished?: ((trace: Readonly<RequestTrace>) => void) | undefined;
}

export class RequestTracer {
  readonly #repository: TraceRepository;
  readonly #clock: Clock;
  readonly #options: TracerOptions;
  readonly #running = new Map<string, RequestTrace>();
  readonly #writer: DebouncedWriter<string, RequestTrace>;
  readonly #watchdog: NodeJS.Timeout;

  constructor(repository: TraceRepository, clock: Clock, options: TracerOptions) {
    this.#repository = repository;
    this.#clock = clock;
    this.#options = options;
    this.#writer = new DebouncedWriter(SAVE_DELAY_MS, (traces) => repository.save(traces.values()));
    // Half of what is waited for, so that a short wait is kept too.
    const everyMs = Math.min(WATCHDOG_MS, Math.max(LEAST_WATCHDOG_MS, options.lostAfterMs / 2));
    this.#watchdog = setInterval(() => this.watch(), everyMs);
    this.#watchdog.unref();
  }

  start(
    request: Pick<RequestTrace, 'requestId' | 'prompt' | 'sessionId' | 'provider' | 'model' | 'endpoint'> &
      Partial<RequestTrace>,
  ): void {
    const now = this.#clock.now();
    const prompt =
      request.prompt.length > PROMPT_CHARS ? `${request.prompt.slice(0, PROMPT_CHARS)}...` : request.prompt;
    const trace: RequestTrace = {
      status: 'PROCESSING',
      createdAt: isoUtc(now),
      finishedAt: null,
      lastActivityAt: now,
      steps: [],
      configHash: null,
      runtimeId: null,
      error: null,
      firstToken: null,
      streaming: null,
      generationParams: null,
      ...request,
      owner: request.owner ?? ownerOfSession(request.sessionId),
      prompt,
    };
    this.#running.set(trace.requestId, trace);
    this.#writer.set(trace.requestId, trace);
  }

  step(
    requestId: string,
    component: string,
    action: string,
    details: string | null = null,
    status: TraceStep['status'] = 'ok',
  ): void {
    this.update(requestId, (trace) => {
      if (trace.steps.length < MAX_STEPS) {
        trace.steps.push({ component, action, timestamp: isoUtc(this.#clock.now()), status, details });
      }
    });
  }

  /** Any change counts as activity. Unknown or finished requests are left alone. */
  update(requestId: string, change: (trace: RequestTrace) => void): void {
    const trace = this.#running.get(requestId);
    if (!trace) return;
    change(trace);
    trace.lastActivityAt = this.#clock.now();
    this.#writer.set(requestId, trace);
  }

  /** Says that the request lives, without a write: a long answer must not be called LOST. */
  touch(requestId: string): void {
    const trace = this.#running.get(requestId);
    if (trace) trace.lastActivityAt = this.#clock.now();
  }

  finish(
    requestId: string,
    status: Extract<TraceStatus, 'COMPLETED' | 'FAILED' | 'LOST'>,
    error: RequestTrace['error'] = null,
  ): void {
    this.update(requestId, (trace) => {
      trace.status = status;
      trace.error = error;
      trace.finishedAt = isoUtc(this.#clock.now());
    });
    const trace = this.#running.get(requestId);
    this.#running.delete(requestId);
    if (trace) this.#options.onFinished?.(trace);
  }

  list(page: TracePage): RequestTrace[] {
    // What is on disk can be read while it is full.
    this.#writer.tryFlush();
    return this.#repository.list(page);
  }

  /** Of a request that is not the viewer's nothing is known. */
  get(requestId: string, viewer: Owner = null): RequestTrace | undefined {
    const trace = this.#running.get(requestId) ?? this.#writer.get(requestId) ?? this.#repository.get(requestId);
    return trace && maySee(viewer, trace.owner ?? null) ? trace : undefined;
  }

  /** A request that ended and is taken up again. False where it has no trace. */
  reopen(requestId: string): boolean {
    if (this.#running.has(requestId)) return true;
    const trace = this.get(requestId);
    if (!trace) return false;
    Object.assign(trace, { status: 'PENDING', error: null, finishedAt: null, lastActivityAt: this.#clock.now() });
    this.#running.set(requestId, trace);
    this.#writer.set(requestId, trace);
    return true;
  }

  /**
   * Requests a former process left running. Called once, before the first request.
   * @param keptOpen  those that somebody takes up again
   */
  closeAbandoned(keptOpen: ReadonlySet<string> = new Set()): number {
    const abandoned = this.#repository.running();
    for (const trace of abandoned) {
      this.#running.set(trace.requestId, trace);
      if (keptOpen.has(trace.requestId)) {
        trace.lastActivityAt = this.#clock.now();
        continue;
      }
      this.#lose(trace, 'restart', 'the server stopped while the request was running');
    }
    return abandoned.length;
  }

  /**
   * An answer that was stored though its trace does not tell of its end: after a crash, since traces are written up to a
   * second late. Called before the first request. Whether there was something to tell.
   */
  tellEnd(end: StoredEnd): boolean {
    const known = this.get(end.requestId);
    if (known?.finishedAt) return false;
    if (known) this.#running.set(end.requestId, known);
    else {
      const { requestId, owner, prompt, sessionId, model } = end;
      const createdAt = isoUtc(end.createdAt);
      this.start({ requestId, owner, prompt, sessionId, model, createdAt, provider: null, endpoint: null });
    }
    const trace = this.#running.get(end.requestId) as RequestTrace;
    if (end.status === 'interrupted') {
      this.#lose(trace, 'restart', 'the server stopped while the request was running');
      return true;
    }
    const { text, error } = end;
    if (!error) {
      const response = text.slice(0, RESPONSE_CHARS);
      const truncated = text.length > RESPONSE_CHARS;
      this.step(end.requestId, end.component, 'response', JSON.stringify({ chars: text.length, response, truncated }));
    }
    this.finish(
      end.requestId,
      error ? 'FAILED' : 'COMPLETED',
      error && { code: error.code, class: error.code, message: error.message, stage: 'stream', retryable: false },
    );
    return true;
  }

  watch(): void {
    const now = this.#clock.now();
    for (const trace of [...this.#running.values()]) {
      // Whoever waits in a queue is silent for a reason.
      if (trace.status === 'PENDING') continue;
      const silentMs = now - trace.lastActivityAt;
      if (silentMs > this.#options.lostAfterMs && !this.#options.isAlive?.(trace.requestId))
        this.#lose(trace, 'timeout', `no activity for ${Math.round(silentMs / 1_000)} s`);
    }
  }

  #lose(trace: RequestTrace, action: string, details: string): void {
    this.step(trace.requestId, 'Watchdog', action, details, 'error');
    this.finish(trace.requestId, 'LOST', {
      code: 'interrupted',
      class: 'Lost',
      message: details,
      stage: 'watchdog',
      retryable: true,
    });
  }

  flush(): void {
    this.#writer.flush();
  }

  close(): void {
    clearInterval(this.#watchdog);
    // A disk that is full to the end must not keep the store from being closed.
    this.#writer.tryFlush();
  }
}
