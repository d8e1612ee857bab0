// Thoughts on the embedded engine: the starter model with a template of a model that thinks, and examples enough for it to
// do so. Through the runtime and through every API. Needs VENOM_TEST_MODEL, the path of its file, and a build.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents, startServer, type TestServer } from '../api/server.js';

const PLACE = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}";
const PLACE_BYTES = 368;
const HISTORY =
  "{%for m in messages%}{{'<|im_start|>'+m.role+'\\n'}}{%if m.reasoning_content%}{{'<think>'+m.reasoning_content+'</think>'}}{%endif%}{{m.content+'<|im_end|>\\n'}}{%endfor%}{{'<|im_start|>assistant\\n'}}";
/** The first lets the model begin its thought, the second begins it for the model, unless it is told not to think. */
const TEMPLATES = {
  free: `${HISTORY}{{''}}`,
  opened: `${HISTORY}{%if enable_thinking is defined and not enable_thinking%}{{'<think></think>'}}{%else%}{{'<think>'}}{%endif%}{{''}}`,
};
type Kind = keyof typeof TEMPLATES;

/** The starter model with another template in the place of its own. */
function withTemplate(template: string): Buffer {
  const bytes = readFileSync(process.env['VENOM_TEST_MODEL'] ?? '');
  expect(template.length).toBeLessThanOrEqual(PLACE_BYTES);
  const end = '}}';
  const padded = template.slice(0, -end.length) + end.padStart(PLACE_BYTES - template.length + end.length);
  bytes.write(padded, bytes.indexOf(PLACE));
  return bytes;
}

/** Turns to learn from, as clients send them back that know nothing of thoughts. */
const messages = [
  ...['France Paris', 'Spain Madrid', 'Italy Rome', 'Austria Vienna', 'Poland Warsaw'].flatMap((pair) => {
    const [country, city] = pair.split(' ');
    return [
      { role: 'user' as const, content: `Capital of ${country}?` },
      { role: 'assistant' as const, content: `<think>They ask for ${country}.</think>It is ${city}.` },
    ];
  }),
  { role: 'user' as const, content: 'Capital of Germany?' },
];

let server: TestServer;
let openai: OpenAI;
let anthropic: Anthropic;
let ollama: Ollama;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-thinking-'));
  mkdirSync(join(folder, 'models'), { recursive: true });
  for (const kind of Object.keys(TEMPLATES) as Kind[])
    writeFileSync(join(folder, 'models', `${kind}.gguf`), withTemplate(TEMPLATES[kind]));
  server = await startServer({ LLM_WARMUP_ON_STARTUP: 'false' }, folder);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
  ollama = new Ollama({ host: server.url });
});
afterAll(async () => {
  await server.close();
});

const limits = { temperature: 0, max_tokens: 40 };
/** What OpenAI's own types know nothing of. */
const thoughtOf = (said: object) => (said as { reasoning_content?: string }).reasoning_content;

describe.each(Object.keys(TEMPLATES) as Kind[])('a model whose thought is %s', (model) => {
  it('is told apart on /v1, whole and streamed, and counted', async () => {
    const whole = await openai.chat.completions.create({ model, messages, ...limits });
    const said = whole.choices[0]?.message ?? {};
    expect(said).toMatchObject({ content: 'It is Berlin.', reasoning_content: 'They ask for Germany.' });
    expect(whole.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(3);
    let thought = '';
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ model, messages, ...limits, stream: true })) {
      const delta = chunk.choices[0]?.delta ?? {};
      if (text !== '') expect(thoughtOf(delta)).toBeUndefined();
      thought += thoughtOf(delta) ?? '';
      text += delta.content ?? '';
    }
    expect({ thought, text }).toEqual({ thought: 'They ask for Germany.', text: 'It is Berlin.' });
  });

  it('is left where a limit cuts it off, and no answer is made of it', async () => {
    const cut = await openai.chat.completions.create({ model, messages, ...limits, max_tokens: 5 });
    const [choice] = cut.choices;
    expect(choice?.finish_reason).toBe('length');
    expect(choice?.message.content).toBe('');
    expect(thoughtOf(choice?.message ?? {})).toMatch(/^They ask/);
  });

  it('stands in its own place for clients of Ollama, Anthropic and Responses', async () => {
    const chat = await ollama.chat({ model, messages, think: true, options: { temperature: 0, num_predict: 40 } });
    expect(chat.message).toMatchObject({ content: 'It is Berlin.', thinking: 'They ask for Germany.' });
    const message = await anthropic.messages.create({
      model,
      messages,
      max_tokens: 2_000,
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      ...{ temperature: 0 },
    });
    expect(message.content).toMatchObject([
      { type: 'thinking', thinking: 'They ask for Germany.' },
      { type: 'text', text: 'It is Berlin.' },
    ]);
    const response = await openai.responses.create({ model, input: messages, max_output_tokens: 40, temperature: 0 });
    expect(response.output).toMatchObject([
      { type: 'reasoning', content: [{ text: 'They ask for Germany.' }] },
      { type: 'message', content: [{ text: 'It is Berlin.' }] },
    ]);
  });

  it('is free before an answer that must fit a schema, and before stop sequences', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const held = await openai.chat.completions.create({
      model,
      messages,
      ...limits,
      max_tokens: 80,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    });
    const said = held.choices[0]?.message ?? { content: null };
    expect(thoughtOf(said)).toBe('They ask for Germany.');
    expect(JSON.parse(said.content ?? '')).toEqual({ city: expect.any(String) });
    const stopped = await openai.chat.completions.create({ model, messages, ...limits, stop: ['Germany', 'Berl'] });
    expect(stopped.choices[0]?.message).toMatchObject({
      content: 'It is ',
      reasoning_content: 'They ask for Germany.',
    });
  });
});

describe('a model that can leave thinking out', () => {
  it('leaves it out where a client says so, in any of the ways', async () => {
    const model = 'opened';
    const asked = { model, messages, ...limits };
    for (const rest of [{ reasoning_effort: 'none' as const }, { chat_template_kwargs: { enable_thinking: false } }]) {
      const { choices } = await openai.chat.completions.create({ ...asked, ...rest } as typeof asked);
      expect(choices[0]?.message).toMatchObject({ content: 'It is Berlin.' });
      expect(thoughtOf(choices[0]?.message ?? {})).toBeUndefined();
    }
    const chat = await ollama.chat({ model, messages, think: false, options: { temperature: 0 } });
    expect(chat.message).toMatchObject({ content: 'It is Berlin.' });
    expect(chat.message.thinking).toBeUndefined();
    // Who does not ask for thoughts pays for none.
    const plain = await anthropic.messages.create({ model, messages, max_tokens: 40, ...{ temperature: 0 } });
    expect(plain.content).toMatchObject([{ type: 'text', text: 'It is Berlin.' }]);
    expect(plain.usage.output_tokens).toBeLessThan(8);
    const counted = await anthropic.messages.countTokens({ model, messages });
    expect(plain.usage.input_tokens + (plain.usage.cache_read_input_tokens ?? 0)).toBe(counted.input_tokens);
  });

  it('says where that is lost', async () => {
    const { choices, ...rest } = await openai.chat.completions.create({
      model: 'free',
      messages,
      ...limits,
      reasoning_effort: 'none',
    });
    expect(choices[0]?.message).toMatchObject({ content: 'It is Berlin.', reasoning_content: 'They ask for Germany.' });
    expect(rest).toMatchObject({ venom: { ran_with: { dropped: ['think'] } } });
    const hidden = await ollama.chat({ model: 'free', messages, think: false, options: { temperature: 0 } });
    expect(hidden.message).toMatchObject({ content: 'It is Berlin.' });
    expect(hidden.message.thinking).toBeUndefined();
  });
});

describe('thoughts in Direct chat', () => {
  it('come apart, are kept beside the answer, and are no part of the conversation', async () => {
    const ask = async (content: string) => {
      const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ content, model: 'opened', session_id: 'thinks', temperature: 0, max_tokens: 12 }),
      });
      const events = await readEvents(response);
      const of = (name: string) =>
        events
          .filter(({ event }) => event === name)
          .map(({ data }) => data['text'])
          .join('');
      return { thought: of('thinking'), text: of('content'), id: response.headers.get('x-request-id') };
    };
    const first = await ask('Say hello.');
    expect(first.thought).not.toBe('');
    const stored = (await (await fetch(`${server.url}/api/v1/sessions/thinks/messages`)).json()) as {
      messages: { role: string; content: string; thought?: string }[];
    };
    const answer = stored.messages.find(({ role }) => role === 'assistant');
    expect({ text: answer?.content, thought: answer?.thought ?? '' }).toEqual({
      text: first.text,
      thought: first.thought,
    });
    const again = await readEvents(await fetch(`${server.url}/api/v1/llm/simple/stream/${first.id}`));
    expect(again.find(({ event }) => event === 'thinking')?.data).toEqual({ text: first.thought });
  });
});
