// A conversation that is longer than the model's context, at every door, and an answer that fills it up. Needs
// VENOM_TEST_MODEL, the path of the starter model's file, and a build.
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents, startServer, type TestServer } from '../api/server.js';

const model = 'SmolLM2-135M-Instruct-Q4_1';
const CONTEXT = 512;
const QUESTION = 'What is the capital of France?';
const said = (index: number) => `${index}: ${'The grass is green and the sky is blue. '.repeat(8)}`;
const earlier = Array.from({ length: 8 }, (_, index) => [
  { role: 'user' as const, content: said(index) },
  { role: 'assistant' as const, content: 'I see.' },
]).flat();
const messages = [...earlier, { role: 'user' as const, content: QUESTION }];
let server: TestServer;
let openai: OpenAI;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-context-'));
  mkdirSync(join(folder, 'models'), { recursive: true });
  copyFileSync(process.env['VENOM_TEST_MODEL'] ?? '', join(folder, 'models', `${model}.gguf`));
  const settings = { LLM_WARMUP_ON_STARTUP: 'false', LLAMA_CONTEXT_LENGTH: String(CONTEXT), LLAMA_THREADS: '1' };
  server = await startServer(settings, folder);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await server.close();
});

describe('a conversation that is too long', () => {
  it.each([false, true])('is refused on /v1 before anything is sent, stream: %s', async (stream) => {
    const refused = openai.chat.completions.create({ model, messages, max_tokens: 8, stream });
    await expect(refused).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      type: 'invalid_request_error',
      message: expect.stringMatching(/maximum context length is 512 tokens/),
    });
    await expect(openai.responses.create({ model, input: messages, stream })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
  });

  it("is refused in Anthropic's words", async () => {
    const anthropic = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
    await expect(anthropic.messages.create({ model, messages, max_tokens: 8 })).rejects.toMatchObject({
      status: 400,
      error: {
        error: {
          type: 'invalid_request_error',
          message: expect.stringMatching(/prompt is too long: \d+ tokens > 512/),
        },
      },
    });
  });

  it("loses its oldest turns for Ollama's clients, as with an Ollama, and for Direct chat", async () => {
    const ollama = new Ollama({ host: server.url });
    const chat = await ollama.chat({ model, messages, options: { temperature: 0, num_predict: 24 } });
    expect(chat.message.content).toContain('Paris');
    expect(chat.prompt_eval_count).toBeLessThan(CONTEXT);
    await expect(
      ollama.chat({ model, messages: [{ role: 'user', content: said(1).repeat(8) }] }),
    ).rejects.toMatchObject({ status_code: 400, error: expect.stringMatching(/prompt is too long/) });

    const ask = async (content: string) => {
      const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ content, model, session_id: 'long', temperature: 0, max_tokens: 24 }),
      });
      const text = (await readEvents(response)).map(({ data }) => data['text'] ?? '').join('');
      return { text, id: response.headers.get('x-request-id') };
    };
    for (let index = 0; index < 6; index += 1) await ask(said(index));
    const { text, id } = await ask(QUESTION);
    expect(text).toContain('Paris');
    const trace = (await (await fetch(`${server.url}/api/v1/history/requests/${id}`)).json()) as {
      steps: { action: string; details: string }[];
    };
    const trimmed = trace.steps.find(({ action }) => action === 'prompt_trim');
    expect(JSON.parse(trimmed?.details ?? '{}')).toEqual({ dropped_messages: expect.any(Number) });
  });
});

it('an answer ends where the context is full, and says so', async () => {
  // Nothing but numbers, and more of them than there is room for.
  const schema = { type: 'array', items: { type: 'integer' }, minItems: 250 };
  const { choices, usage } = await openai.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'Count.' }],
    temperature: 0,
    response_format: { type: 'json_schema', json_schema: { name: 'numbers', schema } },
  });
  expect(choices[0]?.finish_reason).toBe('length');
  expect((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0)).toBe(CONTEXT - 1);
});
