import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SCHEMA,
  formatOf,
  GenerationParamsAdapter,
  schemaFor,
  toRuntimeParams,
  validateParams,
} from './generation-params.js';

const ALL = { max_tokens: 100, temperature: 0.5, top_p: 0.9, top_k: 40, repeat_penalty: 1.1 };

describe('GenerationParamsAdapter', () => {
  it.each([
    ['openai', { max_tokens: 100, temperature: 0.5, top_p: 0.9 }, ['top_k', 'repeat_penalty']],
    ['vllm', { max_tokens: 100, temperature: 0.5, top_p: 0.9, top_k: 40, repetition_penalty: 1.1 }, []],
    ['ollama', { num_predict: 100, temperature: 0.5, top_p: 0.9, top_k: 40, repeat_penalty: 1.1 }, []],
    ['onnx', { max_new_tokens: 100, temperature: 0.5, top_p: 0.9, top_k: 40, repetition_penalty: 1.1 }, []],
    ['llama-cpp', ALL, []],
  ] as const)('speaks %s', (format, sent, dropped) => {
    expect(toRuntimeParams(format, ALL)).toEqual({ sent, dropped, clamped: [] });
  });

  it('passes what it does not know, leaves out what is not set, and keeps vLLM within its context', () => {
    expect(toRuntimeParams('openai', { seed: 1, stop: undefined }).sent).toEqual({ seed: 1 });
    expect(toRuntimeParams('vllm', { max_tokens: 4_000 }, 4_096)).toMatchObject({
      sent: { max_tokens: 1_024 },
      clamped: [{ name: 'max_tokens', from: 4_000, to: 1_024 }],
    });
    expect(toRuntimeParams('vllm', { max_tokens: 4_000 }, 100).sent).toEqual({ max_tokens: 64 });
  });

  it.each([
    ['my-ollama', undefined, 'ollama'],
    ['vllm', undefined, 'vllm'],
    ['azure-openai', undefined, 'openai'],
    ['local', 'ollama', 'ollama'],
    ['local', undefined, 'vllm'],
    ['llama-cpp', undefined, 'llama-cpp'],
  ])('%s (active: %s) is %s', (provider, active, format) => {
    expect(formatOf(provider, active)).toBe(format);
  });

  it('holds Llama 3 on Ollama below a temperature of 1, and nobody else', () => {
    const top = (name: string) => schemaFor(name, 'ollama')['temperature']?.max;
    expect(['llama3:8b', 'llama-3', 'llama3-gradient'].map(top)).toEqual([1, 1, 1]);
    expect(['llama3.2:1b', 'llama2', 'mistral'].map(top)).toEqual([2, 2, 2]);
  });

  it('names every problem at once, and cuts whole numbers', () => {
    expect(validateParams(DEFAULT_SCHEMA, { max_tokens: 200.9 }).valid).toEqual({ max_tokens: 200 });
    const { problems } = GenerationParamsAdapter.validateParams(
      {
        ...DEFAULT_SCHEMA,
        think: { type: 'bool', default: false },
        mode: { type: 'select', default: 'a', options: ['a'] },
      },
      { temperature: 3, top_k: 0, top_p: 'x', nope: 1, think: 1, mode: 'b', __proto__: 1, constructor: 1 },
    );
    expect(problems).toEqual([
      'temperature must be at most 2',
      'top_k must be at least 1',
      'top_p must be a number',
      'nope is unknown',
      'think must be true or false',
      'mode must be one of a',
      'constructor is unknown',
    ]);
  });
});
