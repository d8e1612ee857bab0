// What a cloud model costs. A model nobody knows the price of has none, and then it is not used: an unknown bill is no budget.

export interface ModelPrice {
  /** US dollars per 1,000 tokens. */
  inputPer1k: number;
  outputPer1k: number;
}

export type PriceTable = ReadonlyMap<string, ModelPrice>;

/** Dated and numbered releases cost what their model costs: gpt-4o-2024-08-06, gemini-1.5-pro-002. */
export function priceOf(prices: PriceTable, model: string): ModelPrice | null {
  const name = model.toLowerCase();
  const exact = prices.get(name);
  if (exact) return exact;
  const release = name.replace(/-(?:\d{4}-\d{2}-\d{2}|\d{3,4}|latest)$/, '');
  return prices.get(release) ?? null;
}

export const tokensOfChars = (chars: number): number => Math.max(1, Math.ceil(chars / 4));

export const costUsd = (price: ModelPrice, inputTokens: number, outputTokens: number): number =>
  (inputTokens * price.inputPer1k + outputTokens * price.outputPer1k) / 1_000;

/** The usual bill: a token per four characters, and half as many come back. */
export function estimatedCostUsd(price: ModelPrice, chars: number): number {
  const input = tokensOfChars(chars);
  return costUsd(price, input, input / 2);
}
