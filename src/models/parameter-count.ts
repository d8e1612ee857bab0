// How many weights a model has, read out of what it is called. Pure.

/** `8b`, `0.6B`, `135M`, `8x7B`, `1t`; not the `A3B` of active weights, and no part of a longer word. */
const COUNT = /(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([mbt])(?![a-z0-9])/gi;
const ACTIVE = /(?<![a-z0-9])a(\d{1,3}(?:\.\d{1,3})?)b(?![a-z0-9])/i;
const UNITS: Readonly<Record<string, number>> = { m: 1e6, b: 1e9, t: 1e12 };
const MAX_CHARS = 300;

/** Null where the name does not say. The first count is the model's own: what follows may be of a model it was made from. */
export function parametersOf(name: string): number | null {
  const [found] = name.slice(0, MAX_CHARS).matchAll(COUNT);
  if (!found) return null;
  const [, experts, count, unit] = found;
  return Number(experts ?? 1) * Number(count) * (UNITS[unit?.toLowerCase() ?? ''] ?? 0) || null;
}

/** Weights a token passes through, in a mixture of experts that says so, as `30B-A3B`; null elsewhere. */
export function activeParametersOf(name: string): number | null {
  const count = ACTIVE.exec(name.slice(0, MAX_CHARS))?.[1];
  return count === undefined ? null : Number(count) * 1e9;
}
