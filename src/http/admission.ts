// Newcomers take turns with what is under way: of many requests that arrive together only a few are begun per turn of the
// event loop, so that the first of them get their answer while the last still wait, and open streams do not stand still.
import type { FastifyInstance } from 'fastify';

/** About a millisecond's work. */
const PER_TURN = 4;

/** Decides when a request is begun; the order is the one in which they came. */
export class Admission {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];
  #begun = 0;

  constructor(perTurn = PER_TURN) {
    this.#perTurn = perTurn;
  }

  /** Calls `begin` at once where few came in this turn of the event loop, else in a later one. */
  enter(begin: () => void): void {
    if (this.#begun >= this.#perTurn) {
      this.#waiting.push(begin);
      return;
    }
    if (this.#begun === 0) setImmediate(() => this.#nextTurn());
    this.#begun += 1;
    begin();
  }

  #nextTurn(): void {
    const next = this.#waiting.splice(0, this.#perTurn);
    this.#begun = next.length;
    if (next.length > 0) setImmediate(() => this.#nextTurn());
    for (const begin of next) begin();
  }
}

export function installAdmission(app: FastifyInstance): void {
  const admission = new Admission();
  app.addHook('onRequest', (_request, _reply, done) => admission.enter(done));
}
