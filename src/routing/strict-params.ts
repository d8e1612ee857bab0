// Whether an answer's parameters reached the engine as they were asked for, and the refusal of whoever insists on it.
import { AppError } from '../shared/errors.js';
import type { RanWith } from './decision.js';

export const isExact = ({ dropped, clamped, unknown }: RanWith): boolean =>
  dropped.length === 0 && clamped.length === 0 && unknown.length === 0;

/** Strict mode. @throws AppError `unknown_parameter` that names every difference */
export function refuseUnlessExact(ran: RanWith): void {
  if (isExact(ran)) return;
  const { runtime, model, dropped, clamped, unknown } = ran;
  const parts = [
    unknown.length > 0 ? `unknown: ${unknown.join(', ')}` : '',
    dropped.length > 0 ? `not known to ${runtime}: ${dropped.join(', ')}` : '',
    clamped.length > 0
      ? `out of range: ${clamped.map(({ name, from, to }) => `${name} ${from} (would be ${to})`).join(', ')}`
      : '',
  ].filter(Boolean);
  throw new AppError('unknown_parameter', `Strict mode refuses parameters of ${model}. ${parts.join('; ')}.`, {
    details: { dropped, clamped, unknown },
  });
}
