import { expect, it } from 'vitest';
import { requireSight } from './sight.js';

it.each([
  ['ollama', ['completion', 'vision']],
  ['ollama', []],
  ['ollama', null],
  ['vllm', ['completion']],
  ['openai', null],
])('lets pictures go to %s with %j: it sees, or nobody knows that it does not', (provider, capabilities) => {
  expect(() => requireSight(provider, 'm', capabilities)).not.toThrow();
});

it.each(['ollama', 'llama-cpp'])('refuses them for a model that %s knows to be blind', (provider) => {
  expect(() => requireSight(provider, 'm', ['completion'])).toThrow(/m does not see pictures/);
});
