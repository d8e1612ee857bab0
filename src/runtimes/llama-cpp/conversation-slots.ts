// The conversations one model holds at a time: who gets which, and who waits for one.
import type { LlamaContextSequence, Token } from 'node-llama-cpp';

type Sequence = Pick<LlamaContextSequence, 'contextTokens' | 'nextTokenIndex'>;

export interface Slot<S extends Sequence> {
  readonly sequence: S;
  busy: boolean;
  usedAt: number;
}

export class ConversationSlots<S extends Sequence> {
  readonly #slots: readonly Slot<S>[];
  /** Whoever no longer waits is not in it: a wake-up that nobody hears would be lost. */
  readonly #waiting = new Set<() => void>();

  constructor(sequences: readonly S[]) {
    this.#slots = sequences.map((sequence) => ({ sequence, busy: false, usedAt: 0 }));
  }

  /**
   * The idle conversation that shares most with the prompt; a fresh one rather than somebody's whole history.
   * @returns undefined for whoever gave up. In any case it is given back.
   */
  async take(tokens: readonly Token[], signal: AbortSignal): Promise<Slot<S> | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      const chosen = this.#best(tokens);
      if (chosen) {
        chosen.busy = true;
        return chosen;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  giveBack(slot: Slot<S> | undefined): void {
    if (slot) {
      slot.busy = false;
      slot.usedAt = performance.now();
    }
    // Also by one that was woken and gave up: the place it was woken for is free.
    const [next] = this.#waiting;
    next?.();
  }

  #best(tokens: readonly Token[]): Slot<S> | undefined {
    const idle = this.#slots.filter(({ busy }) => !busy);
    const scored = idle.map((slot) => ({ slot, shared: sharedPrefix(slot.sequence.contextTokens, tokens) }));
    scored.sort(
      (a, b) =>
        b.shared - a.shared ||
        a.slot.sequence.nextTokenIndex - b.slot.sequence.nextTokenIndex ||
        a.slot.usedAt - b.slot.usedAt,
    );
    const [best] = scored;
    if (!best || best.shared >= best.slot.sequence.nextTokenIndex / 2) return best?.slot;
    return (scored.find(({ slot }) => slot.sequence.nextTokenIndex === 0) ?? best).slot;
  }
}

function sharedPrefix(a: readonly Token[], b: readonly Token[]): number {
  let index = 0;
  while (index < a.length && index < b.length && a[index] === b[index]) index += 1;
  return index;
}
