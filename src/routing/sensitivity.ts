// What in a text must not leave the house: secrets and personal data. Pure: it returns kinds and places and never keeps or
// logs the text. How each kind is found, sensitivity/ says, one file per family.
import { setImmediate } from 'node:timers/promises';
import type { Finding } from './sensitivity/kinds.js';
import { type SensitivityOptions, scan } from './sensitivity/scan.js';
import { TURN_CHARS } from './sensitivity/turn.js';

export { type Finding, isMaskable, kindsOf } from './sensitivity/kinds.js';
export type { SensitivityOptions } from './sensitivity/scan.js';

/** Non-overlapping, by place. */
export function findSensitive(text: string, options: SensitivityOptions = {}): Finding[] {
  const turns = scan(text, options);
  for (;;) {
    const turn = turns.next();
    if (turn.done) return turn.value;
  }
}

/** Whether a text is short enough for `findSensitive`, which pauses for nobody. */
export const isReadInOneGo = (text: string): boolean => text.length <= TURN_CHARS;

/** Read since others were last served: many short texts one after another take as long as one long text. */
let unpausedChars = 0;

/** The same of a text of any length and of any number of them, with pauses in which others are served. */
export async function findSensitiveInTurns(text: string, options: SensitivityOptions = {}): Promise<Finding[]> {
  if (unpausedChars + text.length > TURN_CHARS) {
    await setImmediate();
    unpausedChars = 0;
  }
  unpausedChars += text.length;
  if (isReadInOneGo(text)) return findSensitive(text, options);
  const turns = scan(text, options);
  for (;;) {
    const turn = turns.next();
    if (turn.done) return turn.value;
    await setImmediate();
  }
}
