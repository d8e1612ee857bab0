import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.js';
import type { ChatTool } from '../task-ports.js';
import { type AgentLoopOptions, runAgentLoop } from './agent-loop.js';

const says = (text: string): LanguageModelV4StreamPart[] => [{ type: 'text-delta', id: '1', delta: text }];
const calls = (toolName: string, input: string): LanguageModelV4StreamPart[] => [
  { type: 'tool-call', toolCallId: `call-${toolName}`, toolName, input },
];

const tool = (name: string, run: ChatTool['run']): ChatTool => ({
  name,
  description: name,
  inputSchema: { type: 'object' },
  run,
});
const ok = (text: string, labels: string[] = []) => ({ text, failed: false, labels });

/** A model that says these things in turn. */
function loop(turns: LanguageModelV4StreamPart[][], options: Partial<AgentLoopOptions> = {}) {
  const asked: { options: LanguageModelV4CallOptions; labels: readonly string[] }[] = [];
  const running = runAgentLoop({
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    call: {},
    tools: [],
    maxSteps: 4,
    signal: new AbortController().signal,
    sessionId: null,
    ask: async (call, labels) => {
      asked.push({ options: structuredClone({ ...call, abortSignal: undefined }), labels });
      const parts = turns.shift() ?? [];
      return (async function* () {
        yield parts;
      })();
    },
    ...options,
  });
  return { running, asked };
}

describe('runAgentLoop', () => {
  it('runs what the model calls and gives it the results', async () => {
    const { running, asked } = loop([calls('add', '{"a":1,"b":2}'), says('It is 3.')], {
      tools: [
        tool('add', async (input) => ok(String((input as { a: number; b: number }).a + (input as { b: number }).b))),
      ],
    });
    expect(await running).toMatchObject({ text: 'It is 3.', steps: 2 });
    expect(asked[1]?.options.prompt.at(-1)).toEqual({
      role: 'tool',
      content: [
        {
          type: 'tool-result',
          toolCallId: 'call-add',
          toolName: 'add',
          output: { type: 'text', value: '3' },
        },
      ],
    });
  });

  it('tells the model what went wrong instead of failing', async () => {
    const { running, asked } = loop(
      [[...calls('broken', '{}'), ...calls('unknown', '{}'), ...calls('fine', '{"a":')], says('Sorry.')],
      {
        tools: [
          tool('broken', async () => {
            throw new AppError('invalid_input', 'The path is wrong.');
          }),
          tool('fine', async () => ok('fine')),
        ],
      },
    );
    await running;
    expect(JSON.stringify(asked[1]?.options.prompt.at(-1))).toMatch(
      /The path is wrong\..*There is no tool unknown\..*not valid JSON/,
    );
  });

  it('ends: the last step offers no tools', async () => {
    const again = () => calls('more', '{}');
    const { running, asked } = loop([again(), again(), [...says('Enough.'), ...again()]], {
      tools: [tool('more', async () => ok('more'))],
      maxSteps: 3,
    });
    expect((await running).text).toBe('Enough.');
    expect(asked.map(({ options }) => options.tools?.length ?? 0)).toEqual([1, 1, 0]);
  });

  it('carries the sensitivity of tool results along', async () => {
    const { running, asked } = loop([calls('read', '{}'), says('Done.')], {
      tools: [tool('read', async () => ok('secret', ['sensitive']))],
    });
    expect((await running).labels).toEqual(['sensitive']);
    expect(asked.map(({ labels }) => labels)).toEqual([[], ['sensitive']]);
  });

  it('cuts a result that would fill the window', async () => {
    const { running, asked } = loop([calls('read', '{}'), says('Done.')], {
      tools: [tool('read', async () => ok('x'.repeat(100_000)))],
    });
    await running;
    expect(JSON.stringify(asked[1]?.options.prompt.at(-1)).length).toBeLessThan(21_000);
  });

  it('ends with its signal though the engine does not listen', async () => {
    const abort = new AbortController();
    const { running } = loop([], {
      signal: abort.signal,
      ask: async () =>
        (async function* () {
          await new Promise(() => {});
          yield [];
        })(),
    });
    abort.abort(new AppError('cancelled', 'stopped'));
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('ends with its signal though a tool does not listen', async () => {
    const abort = new AbortController();
    const { running } = loop([calls('hangs', '{}')], {
      signal: abort.signal,
      tools: [
        tool('hangs', () => {
          setImmediate(() => abort.abort(new AppError('cancelled', 'stopped')));
          return new Promise(() => {});
        }),
      ],
    });
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('has an end for all its words together, not only for those of one step', async () => {
    const half = 'x'.repeat(600_000);
    const look = tool('look', async () => ok('seen'));
    const { running } = loop([[...says(half), ...calls('look', '{}')], says(half)], { tools: [look] });
    await expect(running).rejects.toMatchObject({ code: 'upstream_protocol' });
  });
});
