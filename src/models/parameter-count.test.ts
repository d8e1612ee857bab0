import { describe, expect, it } from 'vitest';
import { activeParametersOf, parametersOf } from './parameter-count.js';

describe('parametersOf', () => {
  it.each([
    ['bartowski/Meta-Llama-3.1-8B-Instruct-GGUF', 8e9],
    ['qwen3:0.6b', 0.6e9],
    ['SmolLM2-135M-Instruct', 135e6],
    ['mixtral:8x7b-instruct', 56e9],
    ['unsloth/Qwen3-30B-A3B-GGUF', 30e9],
    ['moonshotai/Kimi-K2-1T', 1e12],
    ['llama3.2:1b', 1e9],
    ['DeepSeek-R1-Distill-Qwen-7B-of-70B', 7e9],
    ['nomic-embed-text:v1.5', null],
    ['phi3:mini-128k', null],
    ['org/model-4bit', null],
    ['A3B', null],
    ['', null],
  ])('reads %s', (name, count) => {
    expect(parametersOf(name)).toBe(count);
  });

  it('is done with a long name at once', () => {
    expect(parametersOf(`${'1x'.repeat(100_000)}7b`)).toBeNull();
  });
});

it('knows the weights that a mixture of experts uses for one token', () => {
  expect(activeParametersOf('Qwen3-30B-A3B-Instruct')).toBe(3e9);
  expect(activeParametersOf('Llama-3-8B')).toBeNull();
});
