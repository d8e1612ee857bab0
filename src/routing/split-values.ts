// A value that was cut in two: half of a card's number at the end of one message or part, the rest at the beginning of the
// next. Whoever gets the whole conversation has it whole.
import { findSensitiveInTurns, kindsOf, type SensitivityOptions } from './sensitivity.js';

/** No number and hardly any key is longer. */
const REACH_CHARS = 160;

/** Kinds of what is whole only where texts that follow each other are put together, with a blank and without. Pauses for others. */
export async function splitKinds(texts: readonly string[], options: SensitivityOptions): Promise<string[]> {
  const kinds = new Set<string>();
  for (const between of ['', ' ']) {
    let before = '';
    let ends: number[] = [];
    for (const text of texts) {
      const seam = before.length;
      const joined = seam === 0 ? text.slice(0, REACH_CHARS) : before + between + text.slice(0, REACH_CHARS);
      if (seam > 0) {
        const found = await findSensitiveInTurns(joined, { ...options, shapesOnly: true });
        const cut = found.filter(
          ({ start, end }) => end > seam + between.length && [...ends, seam].some((at) => start < at && at < end),
        );
        for (const kind of kindsOf(cut)) kinds.add(kind);
      }
      const whole = text.length > REACH_CHARS ? text.slice(-REACH_CHARS) : joined;
      const cut = Math.max(0, whole.length - REACH_CHARS);
      ends = text.length > REACH_CHARS ? [] : [...ends, seam].map((end) => end - cut).filter((end) => end > 0);
      before = whole.slice(cut);
    }
  }
  return [...kinds];
}
