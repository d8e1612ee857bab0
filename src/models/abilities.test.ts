import { describe, expect, it } from 'vitest';
import { abilitiesOf, measuredAbilities } from './abilities.js';
import type { ProbeReport, ProbeResult } from './manifest.js';
import { requireSight } from './sight.js';

const report = (results: Partial<ProbeResult>[], takesPictures?: boolean | null) =>
  ({ results, ...(takesPictures === undefined ? {} : { takesPictures }) }) as unknown as ProbeReport;

describe('abilitiesOf', () => {
  it.each([
    ['ollama', ['completion', 'vision'], { tools: false, vision: true, thinking: false }],
    ['llama-cpp', ['completion', 'tools'], { tools: true, vision: false, thinking: false }],
    // An old Ollama says nothing; neither do servers of OpenAI's wire.
    ['ollama', [], { tools: null, vision: null, thinking: null }],
    ['ollama', null, { tools: null, vision: null, thinking: null }],
    ['vllm', ['completion'], { tools: null, vision: null, thinking: null }],
    ['openai', null, { tools: null, vision: null, thinking: null }],
  ])('takes %s at its word for %j', (provider, named, abilities) => {
    expect(abilitiesOf(provider, named, null)).toEqual(abilities);
  });

  it('goes by the trial before anybody says anything', () => {
    const tried = report(
      [
        { name: 'tool_call', status: 'failed', score: 0 },
        { name: 'thinking', status: 'verified', score: 1 },
      ],
      true,
    );
    expect(abilitiesOf('ollama', ['completion', 'tools'], tried)).toEqual({
      tools: false,
      vision: true,
      thinking: true,
    });
  });

  it('goes by the word where the trial found out nothing', () => {
    const tried = report([
      { name: 'tool_call', status: 'skipped', score: null },
      { name: 'thinking', status: 'metadata_only', score: null },
    ]);
    expect(abilitiesOf('ollama', ['completion', 'tools', 'vision'], tried)).toEqual({
      tools: true,
      vision: true,
      thinking: false,
    });
  });

  it('knows a model to be blind whose engine refused a picture', () => {
    expect(abilitiesOf('vllm', ['completion'], report([], false)).vision).toBe(false);
  });
});

it('tells what a model was seen to do, and nothing of one that was not tried', () => {
  const tried = report([{ name: 'tool_call', status: 'verified', score: 0.5 }], true);
  expect(measuredAbilities(tried)).toEqual(['tools', 'vision']);
  expect(measuredAbilities(report([{ name: 'tool_call', status: 'failed', score: 0 }]))).toEqual([]);
  expect(measuredAbilities(null)).toBeNull();
});

it.each([true, null])('pictures go to a model that sees, or of which nobody knows: %s', (sees) => {
  expect(() => requireSight('m', sees)).not.toThrow();
});

it('pictures do not go to a model that is known to be blind', () => {
  expect(() => requireSight('m', false)).toThrow(/m does not see pictures/);
});
