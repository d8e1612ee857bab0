import { expect, it } from 'vitest';
import { NEVER_LEARNING_INTENTS, NON_LLM_INTENTS, STATIC_INTENTS, TOOL_REQUIRED_INTENTS } from './intent-traits.js';

it('what no model answers has a tool or a template of its own, and nothing is learned from what changes by the minute', () => {
  for (const intent of NON_LLM_INTENTS)
    expect(TOOL_REQUIRED_INTENTS.has(intent) || intent === 'UNSUPPORTED_TASK', intent).toBe(true);
  for (const intent of NEVER_LEARNING_INTENTS) expect(STATIC_INTENTS.has(intent), intent).toBe(true);
  expect(TOOL_REQUIRED_INTENTS.has('GENERAL_CHAT')).toBe(false);
});
