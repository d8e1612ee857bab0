import type { LanguageModelV4CallOptions, LanguageModelV4Prompt, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import type { ChatTool } from '../task-ports.js';
import { ledStep } from './led-tools.js';

const tool = (name: string, rank: number, inputSchema: Record<string, unknown> = { type: 'object' }): ChatTool => ({
  name,
  description: `${name}.`,
  inputSchema,
  rank,
  run: async () => ({ text: '', failed: false, labels: [] }),
});
const read = tool('read', 1, {
  type: 'object',
  properties: { path: { type: 'string', pattern: '^a' }, depth: { type: 'integer' } },
  required: ['path'],
});
const question: LanguageModelV4Prompt = [{ role: 'user', content: [{ type: 'text', text: 'Read it' }] }];

/** The step's parts, and what was asked for them. `says` are the model's texts in turn. */
async function step(says: string[], { tools = [read, tool('now', 0)], prompt = question, mustCall = false } = {}) {
  const asked: LanguageModelV4CallOptions[] = [];
  const parts: LanguageModelV4StreamPart[] = [];
  const usage = {
    inputTokens: { total: 10, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: undefined, reasoning: undefined },
  };
  const batches = ledStep(
    async (options) => {
      asked.push(options);
      const text = says.shift() ?? '';
      return (async function* () {
        yield [
          { type: 'text-delta' as const, id: '1', delta: text },
          { type: 'finish' as const, finishReason: { unified: 'stop' as const, raw: undefined }, usage },
        ];
      })();
    },
    { prompt, tools: [], temperature: 0.9 },
    tools,
    mustCall,
  );
  for await (const batch of batches) parts.push(...batch);
  return { parts, asked };
}

const called = (path: string): LanguageModelV4Prompt => [
  ...question,
  { role: 'assistant', content: [{ type: 'tool-call', toolCallId: '1', toolName: 'read', input: { path } }] },
  {
    role: 'tool',
    content: [{ type: 'tool-result', toolCallId: '1', toolName: 'read', output: { type: 'text', value: 'Text.' } }],
  },
];

describe('ledStep', () => {
  it('asks for a name, then for the input that the tool needs, and makes a call of them', async () => {
    const { parts, asked } = await step(['{"tool":"read"}', '{"path":"a.txt"}']);
    expect(parts).toMatchObject([
      { type: 'tool-call', toolName: 'read', input: '{"path":"a.txt"}' },
      { type: 'finish', usage: { inputTokens: { total: 20 }, outputTokens: { total: 2 } } },
    ]);
    expect(asked.map(({ responseFormat }) => responseFormat)).toMatchObject([
      { type: 'json', schema: { properties: { tool: { enum: ['now', 'read', 'none'] } } } },
      { type: 'json', schema: { properties: { path: { type: 'string' } }, required: ['path'] } },
    ]);
    expect(JSON.stringify(asked[1]?.responseFormat), 'what may be left out is left out').not.toContain('depth');
    expect(asked.every(({ tools, temperature }) => tools === undefined && temperature === 0)).toBe(true);
  });

  it('answers where none is needed, or where what was said is no JSON', async () => {
    for (const choice of ['{"tool":"none"}', 'I think none', '{"tool":"unknown"}']) {
      const { parts, asked } = await step([choice, 'Hello.']);
      expect(parts[0]).toMatchObject({ type: 'text-delta', delta: 'Hello.' });
      expect(asked.at(-1)).toMatchObject({ temperature: 0.9 });
      expect(asked.at(-1)?.responseFormat).toBeUndefined();
    }
  });

  it('does not make the same call twice', async () => {
    const { parts } = await step(['{"tool":"read"}', '{"path":"a"}', 'Done.'], { prompt: called('a') });
    expect(parts[0]).toMatchObject({ type: 'text-delta', delta: 'Done.' });
    const other = await step(['{"tool":"read"}', '{"path":"b"}'], { prompt: called('a') });
    expect(other.parts[0]).toMatchObject({ type: 'tool-call', input: '{"path":"b"}' });
  });

  it('offers what changes something once', async () => {
    const { asked } = await step(['{"tool":"none"}', 'Done.'], {
      prompt: called('a'),
      tools: [{ ...read, changes: true }, tool('now', 0)],
    });
    expect(asked[0]?.responseFormat).toMatchObject({ schema: { properties: { tool: { enum: ['now', 'none'] } } } });
  });

  it('ends after some calls', async () => {
    const prompt = [...called('a'), ...called('b').slice(1), ...called('c').slice(1)];
    const { parts, asked } = await step(['Enough.'], { prompt });
    expect(parts[0]).toMatchObject({ delta: 'Enough.' });
    expect(asked).toHaveLength(1);
  });

  it('says calls and results as sentences, for a template that knows neither', async () => {
    const { asked } = await step(['{"tool":"none"}', 'Done.'], { prompt: called('a') });
    const { prompt } = asked[1] as LanguageModelV4CallOptions;
    expect(prompt.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(JSON.stringify(prompt)).toMatch(/I call read with .*Result of read:\\nText\./);
  });

  it('fails where the work is nothing without a tool and none can be called', async () => {
    await expect(step(['hm'], { mustCall: true })).rejects.toMatchObject({
      failure: { code: 'execution_contract_violation' },
    });
    await expect(step([], { mustCall: true, tools: [] })).rejects.toThrow();
    const { asked } = await step(['{"tool":"now"}'], { mustCall: true });
    expect(JSON.stringify(asked[0]?.responseFormat), 'none is no choice').not.toContain('none');
  });

  it('ends an answer where it repeats the mark around what a tool found', async () => {
    const marked: LanguageModelV4Prompt = [
      ...called('a.txt').slice(0, 2),
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: '1',
            toolName: 'read',
            output: { type: 'text', value: '<quoted-2c0da4c7>\nText.\n</quoted-2c0da4c7>' },
          },
        ],
      },
    ];
    const { asked } = await step(['{"tool":"none"}', 'Text.'], { prompt: marked });
    expect(asked.at(-1)?.stopSequences).toEqual(['</quoted-2c0da4c7>']);
    expect((await step(['{"tool":"none"}', 'Text.'])).asked.at(-1)?.stopSequences).toBeUndefined();
  });
});
