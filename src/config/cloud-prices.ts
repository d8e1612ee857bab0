// Prices of cloud models: the bundled table, made of public price lists of November 2026, or the file PRICING_FILE_PATH
// names in its place. Where a provider has two prices by length, the table has the higher one.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PriceTable } from '../routing/pricing.js';
import { AppError } from '../shared/errors.js';
import bundled from './cloud-prices.json' with { type: 'json' };

const Pricing = z.object({
  models: z.record(
    z.string().min(1).max(300),
    z.object({
      input_cost_per_1k: z.number().min(0).max(1_000),
      output_cost_per_1k: z.number().min(0).max(1_000),
    }),
  ),
});

/** @throws AppError `invalid_settings` */
export async function loadCloudPrices(path: string): Promise<PriceTable> {
  if (path === '') return toTable(Pricing.parse(bundled));
  try {
    // Only who brings a file pays for its reader.
    const { parse } = await import('yaml');
    return toTable(Pricing.parse(parse(await readFile(path, 'utf8'), { maxAliasCount: 100 })));
  } catch (cause) {
    throw new AppError('invalid_settings', `Settings are wrong:\n  PRICING_FILE_PATH: ${path} cannot be used`, {
      cause,
    });
  }
}

const toTable = ({ models }: z.output<typeof Pricing>): PriceTable =>
  new Map(
    Object.entries(models).map(([name, price]) => [
      name.toLowerCase(),
      { inputPer1k: price.input_cost_per_1k, outputPer1k: price.output_cost_per_1k },
    ]),
  );
