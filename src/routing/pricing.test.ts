import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadCloudPrices } from '../config/cloud-prices.js';
import { estimatedCostUsd, priceOf } from './pricing.js';

it('knows the models that settings and catalogue name, and their releases', async () => {
  const prices = await loadCloudPrices('');
  for (const model of [
    'gpt-4o',
    'gpt-4o-mini',
    'gpt-4-turbo',
    'gpt-3.5-turbo',
    'gemini-1.5-pro',
    'gemini-1.5-flash',
    'gemini-pro',
  ])
    expect(priceOf(prices, model)).not.toBeNull();
  expect(priceOf(prices, 'gpt-4o-2024-08-06')).toEqual(priceOf(prices, 'gpt-4o'));
  expect(priceOf(prices, 'gemini-1.5-pro-002')).toEqual(priceOf(prices, 'gemini-1.5-pro'));
  // Another model, not a release of one.
  expect(priceOf(prices, 'gpt-4o-audio-preview')).toBeNull();
  expect(priceOf(prices, 'unknown')).toBeNull();
});

it('estimates half as many tokens back as go in', () => {
  expect(estimatedCostUsd({ inputPer1k: 1, outputPer1k: 2 }, 4_000)).toBeCloseTo(2, 9);
});

it('reads the original’s file, and names it when it is wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-prices-'));
  const path = join(folder, 'pricing.yaml');
  writeFileSync(path, 'models:\n  Own-Model:\n    input_cost_per_1k: 0.5\n    output_cost_per_1k: 1\n    note: ours\n');
  expect(priceOf(await loadCloudPrices(path), 'own-model')).toEqual({ inputPer1k: 0.5, outputPer1k: 1 });
  writeFileSync(path, 'models:\n  own: {input_cost_per_1k: cheap}\n');
  await expect(loadCloudPrices(path)).rejects.toMatchObject({ code: 'invalid_settings' });
  rmSync(folder, { recursive: true });
});
