// How long a model stays in memory after its last answer, in milliseconds, as Ollama reads such a text.
import { AppError } from '../shared/errors.js';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Negative or empty means for ever; a bare number is seconds. @throws AppError `invalid_input` */
export function parseKeepAlive(text: string): number {
  const match = /^(-?\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (text.trim() === '') return Number.POSITIVE_INFINITY;
  if (!match) throw new AppError('invalid_input', `${text} is no duration, such as -1, 0, 90s or 10m`);
  const amount = Number(match[1]);
  // Timers of Node hold 31 bits; longer than that is as good as for ever.
  const milliseconds = amount * (UNIT_MS[match[2] ?? 's'] ?? 1_000);
  return amount < 0 || milliseconds > 2_147_483_647 ? Number.POSITIVE_INFINITY : milliseconds;
}
