// The real starter model through every client library that may call it. Needs VENOM_TEST_MODEL and a build.
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../api/server.js';

const model = 'SmolLM2-135M-Instruct-Q4_1';
const QUESTION = 'What is the capital of France?';
const messages = [{ role: 'user' as const, content: QUESTION }];
let folder: string;
let server: TestServer;
let openai: OpenAI;
let anthropic: Anthropic;
let ollama: Ollama;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-compatible-'));
  mkdirSync(join(folder, 'models'), { recursive: true });
  copyFileSync(process.env['VENOM_TEST_MODEL'] ?? '', join(folder, 'models', `${model}.gguf`));
  server = await startServer({ LLM_WARMUP_ON_STARTUP: 'false' }, folder);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
  ollama = new Ollama({ host: server.url });
});
afterAll(async () => {
  await server.close();
});

describe('the starter model', () => {
  it('answers OpenAI, whole, streamed, and going on from what it said', async () => {
    const whole = await openai.responses.create({ model, input: QUESTION, max_output_tokens: 24, temperature: 0 });
    expect(whole.output_text).toContain('Paris');
    expect(whole.usage?.output_tokens).toBeGreaterThan(3);
    const streamed = await openai.responses
      .stream({ model, input: QUESTION, max_output_tokens: 24, temperature: 0 })
      .finalResponse();
    expect(streamed.output_text).toBe(whole.output_text);
    const next = await openai.responses.create({
      model,
      previous_response_id: whole.id,
      input: 'Thanks.',
      max_output_tokens: 8,
    });
    expect(next.usage?.input_tokens).toBeGreaterThan(whole.usage?.input_tokens ?? 0);
    expect(next.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(0);
  });

  it('goes on with a text as it is, where that is asked for', async () => {
    const prompt = 'The capital of France is';
    const options = { max_tokens: 3, temperature: 0 };
    const completed = await openai.completions.create({ model, prompt, ...options });
    expect(completed.choices[0]?.text).toMatch(/^ Paris/);
    // Without a template around it the prompt is its own few tokens.
    expect(completed.usage?.prompt_tokens).toBeLessThan(8);
    const generate = (raw: boolean) =>
      ollama.generate({ model, prompt, raw, options: { temperature: 0, num_predict: 3 } });
    const raw = await generate(true);
    expect(raw.response).toBe(completed.choices[0]?.text);
    expect((await generate(false)).prompt_eval_count).toBeGreaterThan(raw.prompt_eval_count);
    await expect(openai.completions.create({ model, prompt, suffix: 'in the north.' })).rejects.toMatchObject({
      status: 400,
      code: 'unsupported',
    });
  });

  it('answers Anthropic, and counts exactly what it then reads', async () => {
    const counted = await anthropic.messages.countTokens({ model, messages }).withResponse();
    expect(counted.response.headers.get('x-venom-token-count')).toBe('exact');
    const message = await anthropic.messages.create({ model, max_tokens: 24, messages, ...{ temperature: 0 } });
    expect(message.content).toMatchObject([{ type: 'text', text: expect.stringContaining('Paris') }]);
    const { input_tokens, cache_read_input_tokens } = message.usage;
    expect(input_tokens + (cache_read_input_tokens ?? 0)).toBe(counted.data.input_tokens);
    const cut = await anthropic.messages
      .stream({ model, max_tokens: 3, messages: [{ role: 'user', content: 'Tell me a long story.' }] })
      .finalMessage();
    expect(cut).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 3 } });
  });

  it('answers Ollama, is seen in memory, and leaves it when told so', async () => {
    const options = { temperature: 0, num_predict: 24 };
    const lines = [];
    for await (const line of await ollama.chat({ model: `${model}:latest`, messages, options, stream: true }))
      lines.push(line);
    expect(lines.map(({ message }) => message.content).join('')).toContain('Paris');
    expect(lines.at(-1)).toMatchObject({ done_reason: 'stop', eval_count: expect.any(Number) });
    expect((await ollama.ps()).models).toMatchObject([{ name: model }]);
    const format = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    const json = await ollama.generate({
      model,
      prompt: 'Paris as JSON',
      format,
      options: { ...options, num_predict: 80 },
    });
    expect(JSON.parse(json.response ?? '')).toEqual({ city: expect.any(String) });
    // A bare value has no bracket that shows its end.
    const choice = await ollama.generate({
      model,
      prompt: 'Is Paris in France?',
      format: { enum: ['yes', 'no'] },
      options: { ...options, num_predict: 80 },
    });
    expect(choice).toMatchObject({ response: expect.stringMatching(/^"(yes|no)"$/), done_reason: 'stop' });
    const shown = await ollama.show({ model });
    expect(shown).toMatchObject({
      details: { family: 'llama', quantization_level: 'Q4_1' },
      capabilities: ['completion'],
      model_info: { 'llama.context_length': 8_192, 'llama.embedding_length': 576 },
    });
    await ollama.chat({ model, messages, options: { num_predict: 2 }, keep_alive: 0 });
    await expect.poll(async () => (await ollama.ps()).models, { timeout: 10_000 }).toEqual([]);
  });

  it('translates what it can, or says that it could not, and never hands back the original as a translation', async () => {
    const response = await fetch(`${server.url}/api/v1/translate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        text: 'The house is very old and the garden is large.',
        source_lang: 'en',
        target_lang: 'de',
      }),
    });
    const body = (await response.json()) as { translated_text?: string; code?: string };
    if (response.status === 200) expect(body.translated_text).not.toContain('The house is very old');
    else expect(body).toMatchObject({ code: 'translation_failed' });
  });
});
