// Progress of one request to whoever asked for it: a few times a second at most, and only ever upwards.
import type { ServerContext } from '@modelcontextprotocol/server';

const EVERY_MS = 200;
const MAX_MESSAGE_CHARS = 2_000;

export interface ProgressReport {
  done: number;
  total?: number | undefined;
  message?: string | undefined;
}

export class ProgressReporter {
  readonly #context: ServerContext;
  readonly #token: string | number | undefined;
  #pending: ProgressReport | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = -1;
  #writing: Promise<void> = Promise.resolve();

  constructor(context: ServerContext) {
    this.#context = context;
    this.#token = context.mcpReq._meta?.progressToken;
  }

  /** What comes faster than it may be told replaces what waits. */
  report(report: ProgressReport): void {
    if (this.#token === undefined) return;
    this.#pending = report;
    this.#timer ??= setTimeout(() => this.#flush(), EVERY_MS);
  }

  /** Tells what waits; resolves when all of it has been handed over. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    this.#timer = undefined;
    const report = this.#pending;
    this.#pending = undefined;
    if (!report || this.#token === undefined || report.done <= this.#last) return;
    this.#last = report.done;
    const notification = {
      method: 'notifications/progress',
      params: {
        progressToken: this.#token,
        progress: report.done,
        ...(report.total === undefined ? {} : { total: report.total }),
        ...(report.message === undefined ? {} : { message: report.message.slice(-MAX_MESSAGE_CHARS) }),
      },
    };
    // A client that has gone is told nothing; the request's own signal ends the work.
    this.#writing = this.#context.mcpReq.notify(notification).catch(() => {});
  }
}
