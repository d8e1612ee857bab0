// How often an answer is drawn while it grows. Each time costs as much as its whole length, so it is done as often as leaves
// the page most of its time: at once for a short one, a few times a second for a long one or on a slow machine.
const SHORTEST_MS = 40;
const LONGEST_MS = 1_500;
/** Of the time that drawing takes, how many are left for everything else. */
const REST = 4;

export class DrawingPace {
  readonly #draw: () => void;
  #pauseMs = SHORTEST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `draw` tells whoever draws; they are done by the end of its microtasks. */
  constructor(draw: () => void) {
    this.#draw = draw;
  }

  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const begunAt = performance.now();
      this.#draw();
      // After what React does in microtasks, and before the next word.
      setTimeout(() => {
        const tookMs = performance.now() - begunAt;
        this.#pauseMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, tookMs * REST));
      });
    }, this.#pauseMs);
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#draw();
  }
}
