// Small pieces of many streams travel together: one write for what came within a few milliseconds.

/** What follows the first piece of a stream travels at most this much later. */
export const GATHER_MS = 16;

// One timer for all streams: a timer each would cost more than the writes it saves.
const waiting = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;

/** Calls `flush` once, soon. */
export function gather(flush: () => void): void {
  waiting.add(flush);
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    const due = [...waiting];
    waiting.clear();
    for (const each of due) each();
  }, GATHER_MS);
}

export function stopGathering(flush: () => void): void {
  waiting.delete(flush);
}
