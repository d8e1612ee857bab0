// One allowance of bytes per second for all downloads together.

export class BandwidthLimit {
  readonly #bytesPerSecond: number;
  #freeAt = 0;

  /** @param bytesPerSecond  0 = no limit */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when `bytes` more may be taken. @throws the signal's reason */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === 0) return;
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes / this.#bytesPerSecond) * 1_000;
    let left = this.#freeAt - now - 1_000;
    // Up to a second ahead, so that short pauses do not add up; slept in pieces, so that a cancel is heard.
    for (; left > 0; left -= 200) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, Math.min(200, left)));
    }
  }
}
