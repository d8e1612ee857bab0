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
    expect(toRuntimeParams('vllm', { max_tokens: 4_000 }, { contextLength: 4_096 })).toMatchObject({
      sent: { max_tokens: 1_024 },
      clamped: [{ name: 'max_tokens', from: 4_000, to: 1_024 }],
    });
    expect(toRuntimeParams('vllm', { max_tokens: 4_000 }, { contextLength: 100 }).sent).toEqual({ max_tokens: 64 });
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

  it('brings numbers within what the engine and the model take, and leaves the rest alone', () => {
    const asked = { temperature: 3, top_p: -1, frequency_penalty: 0.5, seed: -9, stop: ['x'] };
    expect(toRuntimeParams('openai', asked)).toEqual({
      sent: { temperature: 2, top_p: 0, frequency_penalty: 0.5, seed: -9, stop: ['x'] },
      dropped: [],
      clamped: [
        { name: 'temperature', from: 3, to: 2 },
        { name: 'top_p', from: -1, to: 0 },
      ],
    });
    expect(toRuntimeParams('ollama', { temperature: 1.5 }, { modelName: 'llama3' }).sent).toEqual({ temperature: 1 });
    expect(toRuntimeParams('ollama', { temperature: 1.5 }, { modelName: 'qwen3' }).sent).toEqual({ temperature: 1.5 });
  });

  it.each([
    ['SmolLM2-135M-Instruct-Q4_1', 0.2, 0.9, 40],
    ['gemma3:12b', 1, 0.95, 64],
    ['google/gemma-3-270m', 1, 0.95, 64],
    ['Qwen3-8B-Q4_K_M', 0.6, 0.95, 20],
    ['Qwen3-30B-A3B-Instruct-2507', 0.7, 0.8, 20],
    ['Meta-Llama-3.1-8B-Instruct', 0.6, 0.9, 40],
    ['DeepSeek-R1-Distill-Llama-8B', 0.6, 0.95, 40],
    ['mistral-nemo', 0.3, 0.9, 40],
    ['qwen3-embedding', 0.7, 0.9, 40],
    ['mistral:7b', 0.7, 0.9, 40],
  ])('knows what the makers of %s recommend', (name, temperature, topP, topK) => {
    const schema = schemaFor(name, 'llama-cpp');
    expect([schema['temperature'], schema['top_p'], schema['top_k']].map((rule) => rule?.default)).toEqual([
      temperature,
      topP,
      topK,
    ]);
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
