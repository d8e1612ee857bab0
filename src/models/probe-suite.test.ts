import { ReadableStream } from 'node:stream/web';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { AppError } from '../shared/errors.js';
import { type ProbeFacts, probeModel } from './probe-suite.js';

type Says = (question: string, options: LanguageModelV4CallOptions) => LanguageModelV4StreamPart[] | string;

const finish = (tokens: number): LanguageModelV4StreamPart =>
  ({ type: 'finish', finishReason: 'stop', usage: { outputTokens: { total: tokens } } }) as never;

/** Writes one word every few milliseconds. */
const model = (says: Says): LanguageModelV4 =>
  ({
    doStream: async (options: LanguageModelV4CallOptions) => {
      const last = options.prompt.at(-1)?.content.at(-1);
      const said = says(typeof last === 'object' && last.type === 'text' ? last.text : '', options);
      async function* parts() {
        if (typeof said !== 'string') return yield* said;
        const words = said.split(' ');
        for (const word of words) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          options.abortSignal?.throwIfAborted();
          yield { type: 'text-delta', id: 't', delta: `${word} ` } as const;
        }
        yield finish(words.length);
      }
      return { stream: ReadableStream.from(parts()) };
    },
  }) as unknown as LanguageModelV4;

const facts = (rest: Partial<ProbeFacts> = {}): ProbeFacts => ({
  runtime: 'r',
  runtimeVersion: async () => '1.2',
  declared: { vision: false, thinking: null, contextLength: 8_192 },
  memory: async () => ({ bytes: 5, contextLength: 4_096 }),
  questionMs: 20_000,
  now: () => 7,
  ...rest,
});

const clever: Says = (question, { responseFormat, tools, prompt }) => {
  if (prompt[0]?.role === 'system') return 'BANANA';
  if (responseFormat?.type === 'json') return '{"city":"Rome","sunny":true}';
  if (tools && /weather/.test(question))
    return [{ type: 'tool-call', toolCallId: '1', toolName: 'get_weather', input: '{"city":"Rome"}' }, finish(3)];
  if (/Poland/.test(question)) return 'It is Warsaw.';
  if (/Polski/.test(question)) return 'To Warszawa.';
  if (/Österreich/.test(question)) return 'Das ist Wien.';
  if (/secret/.test(question)) return 'It is 7391.';
  if (/week/.test(question)) return 'Seven.';
  return 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen';
};

const status = (report: Awaited<ReturnType<typeof probeModel>>) =>
  Object.fromEntries(
    report.results.map(({ name, status: state, reason }) => [name, reason ? `${state}: ${reason}` : state]),
  );

describe('probeModel', () => {
  it('tells what a model can do, and how fast it is', async () => {
    const report = await probeModel(model(clever), facts(), new AbortController().signal);
    expect(status(report)).toEqual({
      answers: 'verified',
      system_role: 'verified',
      json_schema: 'verified',
      tool_call: 'verified',
      forced_tool: 'verified',
      languages: 'verified: en, pl, de',
      thinking: 'skipped: the engine does not say',
      vision: 'metadata_only: not declared',
      context: 'verified: 4096 tokens; recalled a number 3072 tokens back',
    });
    expect(report).toMatchObject({ score: 1, runtimeVersion: '1.2', memoryBytes: 5, usableContext: 3_072, at: 7 });
    expect(report.tokensPerSecond).toBeGreaterThan(10);
  });

  it('tells what it cannot do, and why', async () => {
    const report = await probeModel(
      model((question, options) => {
        if (options.tools) throw new AppError('unsupported', 'No tools here.');
        return /Count/.test(question) ? 'I am a teapot.' : /Poland/.test(question) ? 'Warsaw' : 'no';
      }),
      facts(),
      new AbortController().signal,
    );
    expect(status(report)).toMatchObject({
      system_role: 'failed: the answer was not what was asked for',
      json_schema: 'failed: the answer was no JSON',
      tool_call: 'skipped: No tools here.',
      languages: 'verified: en',
      context: 'failed: 4096 tokens; forgot a number 128 tokens back',
    });
    expect(report.tokensPerSecond).toBeNull();
  });

  it('tells of an engine that gives the model no tools', async () => {
    const without = model((question, options) => {
      if (!options.tools) return clever(question, options);
      throw new AppError('upstream_rejected', 'Ollama answered HTTP 400: small does not support tools', {
        details: { status: 400 },
      });
    });
    const report = await probeModel(without, facts(), new AbortController().signal);
    expect(status(report)).toMatchObject({
      tool_call: 'failed: its engine gives it no tools',
      forced_tool: 'failed: its engine gives it no tools',
    });
  });

  it('tells how far back it remembers, and where it no longer does', async () => {
    const asked: number[] = [];
    const forgetful = model((question, options) => {
      if (!/secret/.test(question)) return clever(question, options);
      const length = question.split('.').length;
      asked.push(length);
      return length < 100 ? 'It is 7391.' : 'No idea.';
    });
    const report = await probeModel(forgetful, facts(), new AbortController().signal);
    expect(status(report)).toMatchObject({
      context: 'verified: 4096 tokens; recalled a number 512 tokens back; forgot a number 1024 tokens back',
    });
    expect(report.results.find(({ name }) => name === 'context')?.score).toBe(0.5);
    expect(report.usableContext).toBe(512);
    expect(asked).toHaveLength(4);
  });

  it('reads no longer texts than there is time for', async () => {
    const slow = model((question, options) =>
      /secret/.test(question) ? `${'word '.repeat(600)}7391` : clever(question, options),
    );
    // More than a second for each, of two; the next one would take twice as long.
    const report = await probeModel(slow, facts({ questionMs: 4_000 }), new AbortController().signal);
    expect(report.usableContext).toBe(128);
    const hasty = await probeModel(
      model(clever),
      facts({ memory: async () => ({ bytes: 1, contextLength: 150 }) }),
      new AbortController().signal,
    );
    expect(status(hasty)).toMatchObject({ context: 'metadata_only: 150 tokens' });
    expect(hasty.usableContext).toBeNull();
  });

  it.each<[string, LanguageModelV4StreamPart[] | string, object]>([
    ['answers in words', 'It is sunny.', { score: 0, status: 'failed', reason: 'it answered in words' }],
    [
      'calls another tool',
      [{ type: 'tool-call', toolCallId: '1', toolName: 'other', input: '{}' }, finish(3)],
      { score: 0, status: 'failed', reason: 'it called a tool that is not there' },
    ],
    [
      'leaves the input out',
      [{ type: 'tool-call', toolCallId: '1', toolName: 'get_weather', input: '{}' }, finish(3)],
      { score: 0.5, status: 'verified', reason: 'it called the tool with another input' },
    ],
    [
      'calls whatever it is asked',
      [{ type: 'tool-call', toolCallId: '1', toolName: 'get_weather', input: '{"city":"Rome"}' }, finish(3)],
      { score: 0.5, status: 'verified', reason: 'it calls a tool also where none is needed' },
    ],
  ])('tells that a model with a tool %s', async (_what, says, expected) => {
    const asked = model((question, options) => (options.tools ? says : clever(question, options)));
    const report = await probeModel(asked, facts(), new AbortController().signal);
    expect(report.results.find(({ name }) => name === 'tool_call')).toMatchObject(expected);
  });

  it('a model that is still thinking has answered, and can think', async () => {
    const thinks = model(() => [{ type: 'reasoning-delta', id: 'r', delta: 'Hm.' }, finish(48)]);
    const report = await probeModel(thinks, facts(), new AbortController().signal);
    expect(status(report)).toMatchObject({ answers: 'verified', thinking: 'verified' });
  });

  describe('shown a picture', () => {
    const trial = async (see: (asked: number) => string, vision: boolean | null) => {
      let shown = 0;
      const seeing = model((question, options) => {
        if (options.prompt.at(-1)?.content.length !== 2) return clever(question, options);
        shown += 1;
        return see(shown);
      });
      const declared = { vision, thinking: null, contextLength: 4_096 };
      const report = await probeModel(seeing, facts({ declared }), new AbortController().signal);
      return { vision: status(report)['vision'], takesPictures: report.takesPictures, score: report.score, shown };
    };
    const refuses = () => {
      throw new AppError('upstream_rejected', 'answered HTTP 400: base is not a multimodal model', {
        details: { status: 400 },
      });
    };

    it.each([null, true])('a model that names both colours sees, whatever its engine says: %s', async (promised) => {
      const sees = await trial((asked) => (asked === 1 ? 'Blue.' : 'red'), promised);
      expect(sees).toEqual({ vision: 'verified', takesPictures: true, score: 1, shown: 2 });
    });

    it('a model that guesses has not seen, which counts only against a promise', async () => {
      const detail = 'it did not see what was in a picture';
      expect(await trial(() => 'Blue', null)).toEqual({
        vision: `failed: ${detail}`,
        takesPictures: null,
        score: 1,
        shown: 2,
      });
      const broken = await trial(() => 'Blue', true);
      expect(broken).toMatchObject({ vision: `failed: ${detail}`, takesPictures: null });
      expect(broken.score).toBeLessThan(1);
    });

    it('an engine that takes none is asked once', async () => {
      expect(await trial(refuses, null)).toMatchObject({
        vision: 'failed: its engine takes no pictures',
        takesPictures: false,
        shown: 1,
      });
    });

    it('an engine that fails says nothing about the model', async () => {
      const failing = await trial(() => {
        throw new AppError('upstream_timeout', 'Too slow.');
      }, null);
      expect(failing).toMatchObject({ vision: 'failed: Too slow.', takesPictures: null });
    });

    it('a model that is known to be blind is shown nothing', async () => {
      expect(await trial(() => 'Blue', false)).toMatchObject({ vision: 'metadata_only: not declared', shown: 0 });
    });
  });

  describe('a model that thinks aloud', () => {
    const isTold = ({ providerOptions }: LanguageModelV4CallOptions) => providerOptions?.['venom']?.['think'] === false;
    const thought = (text: string): LanguageModelV4StreamPart => ({ type: 'reasoning-delta', id: 'r', delta: text });
    const answered = (says: ReturnType<Says>) =>
      typeof says === 'string' ? [{ type: 'text-delta', id: 't', delta: says } as const, finish(3)] : says;

    it('is asked without, where it listens', async () => {
      const listens = model((question, options) =>
        isTold(options) ? clever(question, options) : [thought('Hm.'), finish(48)],
      );
      const report = await probeModel(listens, facts(), new AbortController().signal);
      expect(report.score).toBe(1);
      expect(status(report)).toMatchObject({ thinking: 'verified', tool_call: 'verified', system_role: 'verified' });
    });

    it.each<[string, (says: LanguageModelV4StreamPart[]) => LanguageModelV4StreamPart[]]>([
      ['as its engine tells it', (says) => [thought('Hm.'), ...says]],
      [
        'within its text',
        ([first, ...rest]) =>
          first?.type === 'text-delta'
            ? [{ ...first, delta: `<think>\nBANANA? {"city" 7391</think>\n\n${first.delta}` }, ...rest]
            : [first as LanguageModelV4StreamPart, ...rest],
      ],
    ])('gets room for it where it does not listen: %s', async (_name, aloud) => {
      const deep = model((question, options) =>
        (options.maxOutputTokens ?? 0) > 500
          ? aloud(answered(clever(question, options)))
          : [{ type: 'text-delta', id: 't', delta: '<think>BANANA, or 7391' }, finish(48)],
      );
      const report = await probeModel(deep, facts(), new AbortController().signal);
      expect(status(report)).toMatchObject({
        thinking: 'verified',
        system_role: 'verified',
        json_schema: 'verified',
        tool_call: 'verified',
        context: 'verified: 4096 tokens; recalled a number 3072 tokens back',
      });
    });
  });

  it('ends with its signal, and does not blame the model for that', async () => {
    const stop = new AbortController();
    const stopped = model((question, options) => {
      if (options.tools) stop.abort(new Error('stopped'));
      return clever(question, options);
    });
    await expect(probeModel(stopped, facts(), stop.signal)).rejects.toThrow('stopped');
  });

  it('waits no longer for an answer than it may, and says so', async () => {
    const hangs = model((question, options) => (options.tools ? 'word '.repeat(5_000) : clever(question, options)));
    const report = await probeModel(hangs, facts({ questionMs: 300 }), new AbortController().signal);
    expect(status(report)).toMatchObject({ tool_call: 'failed: no answer within 0.3 seconds', answers: 'verified' });
  });

  it('fails when the model cannot be asked at all', async () => {
    const dead = model(() => {
      throw new AppError('runtime_crashed', 'dead');
    });
    await expect(probeModel(dead, facts(), new AbortController().signal)).rejects.toMatchObject({
      code: 'runtime_crashed',
    });
  });
});
