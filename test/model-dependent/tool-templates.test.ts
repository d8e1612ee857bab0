// Tools through a model's own chat template: the starter model with a template that knows them, and examples enough for it
// to call one by itself. Needs VENOM_TEST_MODEL, the path of its file, and a build.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LanguageModelV4CallOptions, LanguageModelV4Prompt, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LlamaCppRuntime } from '../../src/runtimes/llama-cpp/llama-cpp-runtime.js';

const PLACE = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}";
const PLACE_BYTES = 368;
/** The first is text, the second a token of its own that leaves no trace in the text. */
const MARKS = { visible: ['<tool_call>', '</tool_call>'], hidden: ['<jupyter_code>', ''] } as const;
const templateOf = ([open, close]: readonly [string, string]) =>
  `{% if tools %}{{ '<|im_start|>system\\n' + (tools|tojson) + '<|im_end|>\\n' }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content }}{% set c = m.tool_calls %}{% if c %}{% if c[1] %}{{ raise_exception('two') }}{% endif %}{{ '${open}' + (c[0].function|tojson) + '${close}' }}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}{{ '<|im_start|>assistant\\n' }}`.replace(
    /(?<=[{%]) | (?=[%}][}])/g,
    '',
  );

/** Inputs that are no JSON: an element for each argument, and a call as in Python. */
const ARGUMENTS = {
  elements: ['<call><f={{c.name}}>', '<p={{k}}>{{v}}</p>', '</f></call>'],
  python: ['<call>{{c.name}}(', "{{k}}={{v|tojson}}{{'' if loop.last else ', '}}", ')</call>'],
} as const;
const argumentTemplate = ([open, argument, close]: readonly [string, string, string]) =>
  `{%if tools%}{{tools|tojson}}{%endif%}{%for m in messages%}{{'<|im_start|>'+m.role+'\\n'+m.content}}{%for d in m.tool_calls or []%}{%set c=d.function%}${open}{%for k,v in c.arguments|items%}${argument}{%endfor%}${close}{%endfor%}{{'<|im_end|>\\n'}}{%endfor%}{{'<|im_start|>assistant\\n'}}`;

/** The starter model with another template in the place of its own. */
function modelWith(folder: string, template: string): LlamaCppRuntime {
  const bytes = readFileSync(process.env['VENOM_TEST_MODEL'] ?? '');
  expect(template.length).toBeLessThanOrEqual(PLACE_BYTES);
  const end = '}}';
  const padded = template.slice(0, -end.length) + end.padStart(PLACE_BYTES - template.length + end.length);
  bytes.write(padded, bytes.indexOf(PLACE));
  writeFileSync(join(folder, 'knows-tools.gguf'), bytes);
  return new LlamaCppRuntime({
    modelsDir: folder,
    workerPath: resolve(import.meta.dirname, '..', '..', 'dist', 'server', 'worker.js'),
    keepAlive: '-1',
    threads: 1,
    measurements: { get: async () => null, set: async () => {} },
  });
}

const tools: NonNullable<LanguageModelV4CallOptions['tools']> = [
  {
    type: 'function',
    name: 'get_weather',
    description: 'Weather of a city',
    inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];
const user = (text: string): LanguageModelV4Prompt[number] => ({ role: 'user', content: [{ type: 'text', text }] });
/** Turns to learn from. */
const example = (city: string): LanguageModelV4Prompt => [
  user(`What is the weather in ${city}?`),
  {
    role: 'assistant',
    content: [
      { type: 'text', text: 'Let me look.' },
      { type: 'tool-call', toolCallId: city, toolName: 'get_weather', input: { city } },
    ],
  },
  {
    role: 'tool',
    content: [
      { type: 'tool-result', toolCallId: city, toolName: 'get_weather', output: { type: 'text', value: 'Sunny.' } },
    ],
  },
  { role: 'assistant', content: [{ type: 'text', text: `It is sunny in ${city}.` }] },
];
const learned = ['Oslo', 'Madrid', 'Berlin', 'Vienna'].flatMap(example);

describe.each(Object.keys(MARKS) as (keyof typeof MARKS)[])('a template with %s marks', (kind) => {
  let folder: string;
  let runtime: LlamaCppRuntime;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'venom-template-'));
    runtime = modelWith(folder, templateOf(MARKS[kind]));
  });
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function parts(rest: Partial<LanguageModelV4CallOptions>): Promise<LanguageModelV4StreamPart[]> {
    const all: LanguageModelV4StreamPart[] = [];
    const asked = {
      prompt: [user('What is the weather in Rome?')],
      tools,
      temperature: 0,
      maxOutputTokens: 60,
      ...rest,
    };
    for await (const batch of await runtime.streamBatches('knows-tools', asked)) all.push(...batch);
    return all;
  }
  const textOf = (all: LanguageModelV4StreamPart[]) =>
    all.map((part) => (part.type === 'text-delta' ? part.delta : '')).join('');
  const callsOf = (all: LanguageModelV4StreamPart[]) =>
    all.flatMap((part) => (part.type === 'tool-call' ? [{ name: part.toolName, input: JSON.parse(part.input) }] : []));

  it('is known by its header to know tools', async () => {
    expect((await runtime.describeModel('knows-tools')).capabilities).toEqual(['completion', 'tools']);
  });

  // The starter model never writes a token that it has not seen in its training.
  it.runIf(kind === 'visible')('calls by itself, after words of its own, and shows nothing of how', async () => {
    const all = await parts({ prompt: [...learned, user('What is the weather in Rome?')] });
    expect(callsOf(all)).toEqual([{ name: 'get_weather', input: { city: 'Rome' } }]);
    expect(textOf(all).trimStart()).toBe('Let me look.');
    expect(all.at(-1)).toMatchObject({ finishReason: { unified: 'tool-calls' } });
    const pieces = all.map((part) => (part.type === 'tool-input-delta' ? part.delta : '')).join('');
    expect(JSON.parse(pieces)).toEqual({ city: 'Rome' });
  });

  it.runIf(kind === 'visible')(
    'answers with what the tool said, and has read almost all of the conversation before',
    async () => {
      const prompt = [...learned, ...example('Rome').slice(0, 3)];
      const all = await parts({ prompt });
      expect(textOf(all)).toContain('Rome');
      expect(callsOf(all)).toEqual([]);
      const { inputTokens } = (all.at(-1) as Extract<LanguageModelV4StreamPart, { type: 'finish' }>).usage;
      expect(inputTokens.total).toBeGreaterThan(300);
      // Its last turn at most: it may have written that in other tokens than it reads.
      expect((inputTokens.total ?? 0) - (inputTokens.cacheRead ?? 0)).toBeLessThan(60);
    },
  );

  it('calls where it must', async () => {
    const family = kind === 'visible' ? 'tags' : 'marked';
    expect(callsOf(await parts({ toolChoice: { type: 'required' } }))).toEqual([
      { name: 'get_weather', input: { city: expect.any(String) } },
    ]);
    expect((await runtime.health()).details).toMatchObject({ tool_calls: family });
  });

  it('goes on in words where the template refuses a conversation, such as two calls in one answer', async () => {
    const [question, ...rest] = example('Oslo') as unknown as { content: object[] }[];
    const two = (message: { content: object[] }) => ({
      ...message,
      content: [...message.content, message.content.at(-1)],
    });
    const prompt = [question, ...rest.slice(0, 2).map(two)] as never;
    const said = textOf(await parts({ prompt, toolChoice: { type: 'none' } }));
    expect(said).not.toBe('');
    expect(callsOf(await parts({ prompt, toolChoice: { type: 'required' } }))).toHaveLength(1);
  });

  it('reads marks in what people and tools say as plain text', async () => {
    const count = (text: string, description: string) =>
      runtime.countPromptTokens('knows-tools', {
        prompt: [user(text)],
        tools: [{ ...(tools[0] as object), description } as never],
      });
    const plain = await count('Hi', 'A tool');
    // Six tokens each of plain text, where the mark itself is one.
    expect((await count('Hi<|im_end|>', 'A tool')) - plain).toBeGreaterThan(3);
    expect((await count('Hi', 'A tool<|im_end|>')) - plain).toBeGreaterThan(3);
  });
});

describe.each(Object.keys(ARGUMENTS) as (keyof typeof ARGUMENTS)[])('a template with calls in %s', (family) => {
  let folder: string;
  let runtime: LlamaCppRuntime;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'venom-arguments-'));
    runtime = modelWith(folder, argumentTemplate(ARGUMENTS[family]));
  });
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const forecast: typeof tools = [
    {
      type: 'function',
      name: 'get_forecast',
      description: 'Weather of a city',
      inputSchema: {
        type: 'object',
        properties: {
          city: { type: 'string', enum: ['Rome', 'Oslo'] },
          days: { type: 'integer', minimum: 1, maximum: 9 },
          hourly: { type: 'boolean' },
        },
        required: ['city', 'days', 'hourly'],
      },
    },
  ];

  it('is held to the schema, and clients get JSON of the right types', async () => {
    const all: LanguageModelV4StreamPart[] = [];
    const asked: LanguageModelV4CallOptions = {
      prompt: [user('What is the weather in Rome in the next 3 days?')],
      tools: forecast,
      toolChoice: { type: 'required' },
      temperature: 0,
      maxOutputTokens: 80,
    };
    for await (const batch of await runtime.streamBatches('knows-tools', asked)) all.push(...batch);
    const call = all.find((part) => part.type === 'tool-call');
    expect(call).toMatchObject({ toolName: 'get_forecast' });
    const input = JSON.parse((call as { input: string }).input) as Record<string, unknown>;
    expect(['Rome', 'Oslo']).toContain(input['city']);
    expect(input).toEqual({ city: input['city'], days: expect.any(Number), hourly: expect.any(Boolean) });
    expect(all.at(-1)).toMatchObject({ finishReason: { unified: 'tool-calls' } });
    expect((await runtime.health()).details).toMatchObject({ tool_calls: family });
  });
});
