import { expect, it } from 'vitest';
import type { AnswerReceipt } from '../routing/decision.js';
import { packReceipt, unpackReceipt } from './packed-receipt.js';

const step = { target: 'local', provider: 'ollama', model: 'qwen3:8b', endpoint: 'http://127.0.0.1:11434' } as const;
const receipt: AnswerReceipt = {
  decision: {
    ...step,
    reasonCode: 'default_eco_mode',
    reason: 'Answers are given in the house.',
    complexity: 1,
    sensitive: false,
    findings: [],
    chain: [step],
    paid: false,
    tier: 'local',
    estimatedCostUsd: 0,
    budgetRemainingUsd: null,
    policyGatePassed: true,
    decidedAt: 1_795_532_130_003,
    latencyMs: 0.07,
  },
  ranWith: null,
  attempts: [{ ...step, location: 'local', bytesSent: 812, bytesReceived: 2_311, outcome: 'ok', error: null }] as never,
  masked: [],
  costUsd: null,
};

it('keeps every field', () => {
  expect(unpackReceipt(packReceipt(receipt))).toEqual(receipt);
  expect(packReceipt(null)).toBeNull();
  expect(unpackReceipt(null)).toBeNull();
});

it('takes an ordinary receipt to a fraction of its text, because each turn writes one', () => {
  expect(packReceipt(receipt)?.length).toBeLessThan(200);
});

it('takes no 16 kB for each result: under load there are hundreds a second', () => {
  const before = process.memoryUsage().arrayBuffers;
  // Held, so that no collection in between makes the difference smaller.
  const held = Array.from({ length: 1_000 }, () => packReceipt(receipt));
  expect(held).toHaveLength(1_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
});
