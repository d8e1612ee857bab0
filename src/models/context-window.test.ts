import { describe, expect, it } from 'vitest';
import { contextWindow } from './context-window.js';
import type { ProbeReport } from './manifest.js';

const tried = (score: number | null, usableContext: number | null): ProbeReport =>
  ({ results: [{ name: 'context', status: 'verified', score, reason: null, durationMs: 1 }], usableContext }) as never;

describe('contextWindow', () => {
  it.each([
    ['what the engine holds', { contextLength: 8_192, windowLength: 4_096 }, undefined, 4_096],
    ['what it was trained for', { contextLength: 2_048, windowLength: 4_096 }, undefined, 2_048],
    ['what is known of it', { contextLength: 8_192 }, undefined, 8_192],
    ['what it was seen to keep in mind', { contextLength: 32_768 }, tried(0.5, 4_096), 4_096],
    ['not less than a conversation needs', { contextLength: 32_768 }, tried(0, 0), 2_048],
    ['not what a trial had no time to try', { contextLength: 32_768 }, tried(1, 512), 32_768],
    ['nothing where nobody knows', { contextLength: null }, tried(null, null), null],
  ])('is %s', (_what, described, probe, tokens) => {
    expect(contextWindow(described, probe)).toBe(tokens);
    expect(contextWindow(null, undefined)).toBeNull();
  });
});
