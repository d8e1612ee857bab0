// Sections of an answer that are written side by side and shown in their order: the first open one as it is written, later
// ones when their turn comes. Nothing that was shown is taken back.

export class OrderedSections {
  readonly #order: readonly number[];
  readonly #show: (text: string) => void;
  /** Written and not shown yet. */
  readonly #held = new Map<number, string>();
  readonly #ended = new Set<number>();
  #front = 0;

  constructor(order: readonly number[], show: (text: string) => void) {
    this.#order = order;
    this.#show = show;
  }

  write(section: number, text: string): void {
    this.#held.set(section, (this.#held.get(section) ?? '') + text);
    this.#flush();
  }

  /** Nothing more comes for it. */
  end(section: number): void {
    this.#ended.add(section);
    this.#flush();
  }

  #flush(): void {
    for (;;) {
      const section = this.#order[this.#front];
      if (section === undefined) return;
      const text = this.#held.get(section);
      if (text) {
        this.#held.delete(section);
        this.#show(text);
      }
      if (!this.#ended.has(section)) return;
      this.#front += 1;
    }
  }
}
