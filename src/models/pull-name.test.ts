// Where a model comes from when only a name is given.
import { describe, expect, it } from 'vitest';
import { pulledAs, pullTarget } from './pull-name.js';

const bundled = new Set(['SmolLM2']);

describe('pullTarget', () => {
  it.each([
    ['hf.co/org/model', true, { name: 'org/model', provider: 'huggingface', runtime: 'llama-cpp' }],
    [
      'https://huggingface.co/org/model:Q4_K_M',
      false,
      { name: 'org/model:Q4_K_M', provider: 'huggingface', runtime: 'llama-cpp' },
    ],
    ['qwen3:4b', true, { name: 'qwen3:4b', provider: 'ollama', runtime: 'ollama' }],
    ['registry.ollama.ai/library/qwen3:4b', true, { name: 'qwen3:4b', provider: 'ollama', runtime: 'ollama' }],
    ['SmolLM2:latest', false, { name: 'SmolLM2', provider: 'python-index', runtime: 'llama-cpp' }],
    ['SmolLM2', true, { name: 'SmolLM2', provider: 'ollama', runtime: 'ollama' }],
    ['unknown', false, { name: 'unknown', provider: 'ollama', runtime: 'ollama' }],
  ])('%s, with an Ollama: %s', (name, ollama, target) => {
    expect(pullTarget(name, { bundled, ollama })).toEqual(target);
  });
});

describe('pulledAs', () => {
  const manifests = [
    { name: 'tiny-Q4_K_M', source: 'org/tiny@0a1b2c/tiny-Q4_K_M.gguf' },
    { name: 'tiny-F16', source: 'org/tiny@0a1b2c/tiny-F16.gguf' },
    { name: 'mine', source: null },
  ];
  it.each([
    ['hf.co/org/tiny', 'tiny-Q4_K_M'],
    ['huggingface.co/org/tiny:f16', 'tiny-F16'],
    ['hf.co/org/tiny:latest', 'tiny-Q4_K_M'],
    ['hf.co/org/tiny:Q8_0', undefined],
    ['hf.co/org/tin', undefined],
    ['org/tiny', undefined],
  ])('%s is %s', (name, installed) => {
    expect(pulledAs(name, manifests)).toBe(installed);
  });
});
