// Tools on the real starter model, which is too small to call any by itself: what is forced is valid all the same, through
// every client library, and a second turn knows the result. Needs VENOM_TEST_MODEL and a build.
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startServer, type TestServer } from '../api/server.js';

const model = 'SmolLM2-135M-Instruct-Q4_1';
const QUESTION = 'What is the weather in Rome?';
const input = {
  type: 'object' as const,
  properties: {
    city: { type: 'string', maxLength: 20 },
    days: { type: 'integer', minimum: 1, maximum: 7 },
    unit: { anyOf: [{ enum: ['celsius', 'fahrenheit'] }, { type: 'null' }] },
    places: { type: 'array', items: { $ref: '#/$defs/place' }, minItems: 1, maxItems: 2 },
  },
  required: ['city', 'days', 'unit', 'places'],
  additionalProperties: false,
  $defs: {
    place: { type: 'object', properties: { name: { type: 'string', maxLength: 12 } }, required: ['name'] },
  },
};
/** The same by other means: what the model writes is not judged by what it was held to. */
const Input = z.strictObject({
  city: z.string().max(20),
  days: z.int().min(1).max(7),
  unit: z.enum(['celsius', 'fahrenheit']).nullable(),
  places: z
    .array(z.strictObject({ name: z.string().max(12) }))
    .min(1)
    .max(2),
});
const tools: OpenAI.ChatCompletionFunctionTool[] = [
  { type: 'function', function: { name: 'get_weather', description: 'Weather of a city', parameters: input } },
  {
    type: 'function',
    function: { name: 'stop', description: 'Ends everything', parameters: { type: 'object', properties: {} } },
  },
];
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: QUESTION }];
const named = { type: 'function' as const, function: { name: 'get_weather' } };
const base = { model, messages, tools, temperature: 0, max_tokens: 200 };
let server: TestServer;
let openai: OpenAI;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-tools-'));
  mkdirSync(join(folder, 'models'), { recursive: true });
  copyFileSync(process.env['VENOM_TEST_MODEL'] ?? '', join(folder, 'models', `${model}.gguf`));
  server = await startServer({ LLM_WARMUP_ON_STARTUP: 'false', LLAMA_THREADS: '1' }, folder);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await server.close();
});

const functions = (calls: OpenAI.ChatCompletionMessageToolCall[] | undefined) =>
  (calls ?? []).flatMap((call) => (call.type === 'function' ? [{ id: call.id, ...call.function }] : []));

describe('tools on the starter model', () => {
  it('a named tool is called, with an input that fits its schema, at every temperature', async () => {
    for (const [temperature, seed] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [2, 4],
    ] as const) {
      const { choices } = await openai.chat.completions.create({ ...base, temperature, seed, tool_choice: named });
      expect(choices[0]?.finish_reason).toBe('tool_calls');
      const [call, ...more] = functions(choices[0]?.message.tool_calls);
      expect(more).toEqual([]);
      expect(call?.name).toBe('get_weather');
      Input.parse(JSON.parse(call?.arguments ?? ''));
      expect(choices[0]?.message.content).toBeNull();
    }
  });

  it('streams the same call, and its arguments piece by piece', async () => {
    const whole = await openai.chat.completions.create({ ...base, tool_choice: named });
    const stream = openai.chat.completions.stream({ ...base, tool_choice: named });
    let pieces = 0;
    stream.on('tool_calls.function.arguments.delta', () => {
      pieces += 1;
    });
    const final = await stream.finalChatCompletion();
    const [call] = functions(final.choices[0]?.message.tool_calls);
    expect(call?.arguments).toBe(functions(whole.choices[0]?.message.tool_calls)[0]?.arguments);
    expect(final.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
    expect(pieces).toBeGreaterThan(3);
  });

  it('calls one of them where one is required, none where none is wanted, and answers in words where it may', async () => {
    const required = await openai.chat.completions.create({ ...base, tool_choice: 'required' });
    const [call] = functions(required.choices[0]?.message.tool_calls);
    expect(['get_weather', 'stop']).toContain(call?.name);
    const none = await openai.chat.completions.create({ ...base, tool_choice: 'none', max_tokens: 16 });
    expect(none.choices[0]?.message.tool_calls).toBeUndefined();
    const paris = [{ role: 'user' as const, content: 'What is the capital of France?' }];
    const auto = await openai.chat.completions.create({
      ...base,
      messages: paris,
      tool_choice: 'auto',
      max_tokens: 24,
    });
    expect(auto.choices[0]?.message).toMatchObject({ content: expect.stringContaining('Paris') });
    expect(auto.choices[0]?.message.content).not.toContain('tool_call');
  });

  it('answers with the result in a second turn, and reads only what is new in it', async () => {
    const first = await openai.chat.completions.create({ ...base, tool_choice: named });
    const message = first.choices[0]?.message as OpenAI.ChatCompletionMessage;
    const [call] = functions(message.tool_calls);
    const result = { role: 'tool' as const, tool_call_id: call?.id ?? '', content: 'Rome: 31 degrees, sunny.' };
    const history = [...messages, message, result];
    const answered = await openai.chat.completions.create({ ...base, messages: history, tool_choice: 'none' });
    expect(answered.choices[0]?.message.content).toMatch(/sunny/i);
    const again = await openai.chat.completions.create({ ...base, tool_choice: named });
    expect(functions(again.choices[0]?.message.tool_calls)[0]?.arguments).toBe(call?.arguments);
    const second = await openai.chat.completions.create({ ...base, messages: history, max_tokens: 8 });
    const { prompt_tokens, prompt_tokens_details } = second.usage as OpenAI.CompletionUsage;
    expect(prompt_tokens).toBeGreaterThan((first.usage?.prompt_tokens ?? 0) + 20);
    // A model may write its call in other tokens than it reads it in; what stands before it is in the cache.
    expect(prompt_tokens_details?.cached_tokens).toBeGreaterThanOrEqual(first.usage?.prompt_tokens ?? 0);
  });

  it('a call that is cut off is no call, but text', async () => {
    const cut = await openai.chat.completions.create({ ...base, tool_choice: named, max_tokens: 12 });
    expect(cut.choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { content: expect.stringMatching(/^<tool_call>/) },
    });
    expect(cut.choices[0]?.message.tool_calls).toBeUndefined();
  });

  it('refuses schemas that nothing could be written by, and goes on answering', async () => {
    const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] };
    const asked = { ...base, tools: [{ type: 'function' as const, function: { name: 'x', parameters: endless } }] };
    for (const stream of [false, true])
      await expect(openai.chat.completions.create({ ...asked, stream })).rejects.toMatchObject({
        status: 400,
        code: 'invalid_input',
      });
    const { choices } = await openai.chat.completions.create({ ...base, tool_choice: named });
    expect(choices[0]?.finish_reason).toBe('tool_calls');
  });

  it('calls for Anthropic, whole and streamed, and counts what the tools cost', async () => {
    const anthropic = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
    const asked = {
      model,
      messages: [{ role: 'user' as const, content: QUESTION }],
      tools: [{ name: 'get_weather', description: 'Weather of a city', input_schema: input }],
    };
    const forced = { ...asked, max_tokens: 200, tool_choice: { type: 'any' as const } };
    const whole = await anthropic.messages.create(forced);
    expect(whole).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'get_weather' }] });
    Input.parse(whole.content[0]?.type === 'tool_use' ? whole.content[0].input : null);
    const streamed = await anthropic.messages.stream(forced).finalMessage();
    expect(streamed).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'get_weather' }] });
    const counted = await anthropic.messages.countTokens(asked).withResponse();
    expect(counted.response.headers.get('x-venom-token-count')).toBe('exact');
    const { input_tokens, cache_read_input_tokens } = whole.usage;
    expect(counted.data.input_tokens).toBe(input_tokens + (cache_read_input_tokens ?? 0));
    const tool_use_id = whole.content[0]?.type === 'tool_use' ? whole.content[0].id : '';
    const second = await anthropic.messages.create({
      ...asked,
      max_tokens: 40,
      tool_choice: { type: 'none' },
      messages: [
        ...asked.messages,
        { role: 'assistant', content: whole.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id, content: 'Rome: 31 degrees, sunny.' }] },
      ],
    });
    expect(second.content).toMatchObject([{ type: 'text', text: expect.stringMatching(/31|sunny|pleasant/i) }]);
  });

  it("takes Ollama's tools and results", async () => {
    const ollama = new Ollama({ host: server.url });
    const options = { temperature: 0, num_predict: 40 };
    const offered = tools.map(({ function: called }) => ({ type: 'function', function: called })) as never;
    const lines = [];
    const asked = {
      model,
      options,
      tools: offered,
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
    };
    for await (const line of await ollama.chat({ ...asked, stream: true })) lines.push(line);
    expect(lines.map(({ message }) => message.content).join('')).toContain('Paris');
    const answered = await ollama.chat({
      model,
      options,
      messages: [
        { role: 'user', content: QUESTION },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ function: { name: 'get_weather', arguments: { city: 'Rome' } } }],
        },
        { role: 'tool', tool_name: 'get_weather', content: 'Rome: 31 degrees, sunny.' },
      ],
    });
    expect(answered.message.content).toMatch(/sunny/i);
  });
});
