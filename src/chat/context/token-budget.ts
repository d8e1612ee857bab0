// Counts what goes into a context, and says what no longer fits. Counting may be the engine's own.

/** What a chat template puts around a message. */
const MESSAGE_TOKENS = 4;

export class TokenBudget {
  readonly #count: (text: string) => number | Promise<number>;
  #left: number;
  #used = 0;

  constructor(tokens: number, count: (text: string) => number | Promise<number>) {
    this.#count = count;
    this.#left = tokens;
  }

  /** May be below zero after `spend`. */
  get left(): number {
    return this.#left;
  }

  get used(): number {
    return this.#used;
  }

  async tokensOf(text: string): Promise<number> {
    const counted = this.#count(text);
    return typeof counted === 'number' ? counted : await counted;
  }

  async messageTokens(text: string): Promise<number> {
    return (await this.tokensOf(text)) + MESSAGE_TOKENS;
  }

  /** For what must go in whatever it costs. */
  spend(tokens: number): void {
    this.#left -= tokens;
    this.#used += tokens;
  }

  /** Whether it fits; if it does, it is spent. */
  take(tokens: number): boolean {
    if (tokens > this.#left) return false;
    this.spend(tokens);
    return true;
  }

  /** The items that fit into a share of what is left, in order, with their heading; and the tokens of those that do not. */
  async takeList(
    heading: string,
    items: readonly string[],
    share: number,
  ): Promise<{ taken: number; droppedTokens: number }> {
    const room = Math.min(this.#left, Math.floor(share));
    let spent = 0;
    let taken = 0;
    let droppedTokens = 0;
    for (const item of items) {
      const tokens = (await this.tokensOf(item)) + (taken === 0 ? await this.tokensOf(heading) : 0);
      if (droppedTokens === 0 && spent + tokens <= room) {
        spent += tokens;
        taken += 1;
      } else droppedTokens += tokens;
    }
    this.spend(spent);
    return { taken, droppedTokens };
  }
}
