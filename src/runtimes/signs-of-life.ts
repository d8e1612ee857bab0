// A server that says nothing but that it is still there: comments, empty pieces. Each of them ends a silence, and none of
// them is an answer; together they are not waited for without end.
import { AppError } from '../shared/errors.js';
import type { HttpUpstream } from './http-upstream.js';

/** A long prompt on a slow machine takes its time, and servers fill it so that nobody gives up. */
const SILENCES = 10;

export class SignsOfLife {
  readonly #upstream: Pick<HttpUpstream, 'name' | 'idleTimeoutMs'>;
  readonly #now: () => number;
  #answeredAt: number;

  constructor(upstream: Pick<HttpUpstream, 'name' | 'idleTimeoutMs'>, now: () => number = () => performance.now()) {
    this.#upstream = upstream;
    this.#now = now;
    this.#answeredAt = now();
  }

  /**
   * @param answered  whether something of an answer was in it
   * @throws AppError `upstream_timeout` after ten times the longest silence
   */
  heard(answered: boolean): void {
    const now = this.#now();
    if (answered) this.#answeredAt = now;
    else if (now - this.#answeredAt > this.#upstream.idleTimeoutMs * SILENCES)
      throw new AppError('upstream_timeout', `${this.#upstream.name} shows signs of life, but gives no answer.`);
  }
}
