import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.js';
import type { ChatTarget } from '../turn-ports.js';
import { type TranslationRequest, Translator } from './translator.js';

/** What stands after the first blank line of the question: the text itself. */
const asked = (options: LanguageModelV4CallOptions): string => {
  const last = options.prompt.at(-1);
  const part = last?.role === 'user' ? last.content[0] : undefined;
  return part?.type === 'text' ? part.text.slice(part.text.indexOf('\n\n') + 2) : '';
};

function setUp(
  answer: (text: string, call: number, options: LanguageModelV4CallOptions) => string | Promise<string>,
  { detect = (_text: string): string | null => null, timeoutMs = 5_000, finish = 'stop' as 'stop' | 'length' } = {},
) {
  const calls: LanguageModelV4CallOptions[] = [];
  let running = 0;
  let most = 0;
  let now = 0;
  const target: ChatTarget = {
    provider: 'fake',
    endpoint: null,
    model: 'm',
    runtimeId: 'fake@local',
    configHash: 'h',
    async stream(options) {
      calls.push(options);
      running += 1;
      most = Math.max(most, running);
      try {
        const text = await answer(asked(options), calls.length, options);
        const parts: LanguageModelV4StreamPart[] = [
          { type: 'text-delta', id: 't', delta: text },
          {
            type: 'finish',
            finishReason: { unified: finish, raw: undefined },
            usage: {
              inputTokens: { total: 1, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
              outputTokens: { total: 1, text: undefined, reasoning: undefined },
            },
          },
        ];
        return (async function* () {
          yield parts;
        })();
      } finally {
        running -= 1;
      }
    },
  };
  const translator = new Translator(
    { target: () => target, detectLanguage: detect, now: () => now },
    { timeoutMs, trustedLanguages: ['fr'] },
  );
  const translate = (text: string, rest: Partial<TranslationRequest> = {}) =>
    translator.translate({
      text,
      target: 'de',
      useCache: true,
      allowAny: false,
      signal: new AbortController().signal,
      ...rest,
    });
  return { translator, translate, calls, most: () => most, advance: (ms: number) => (now += ms) };
}

const upper = (text: string) => text.toUpperCase();

describe('Translator.translate', () => {
  it('asks at low temperature, names both languages, and bounds the answer', async () => {
    const { translate, calls } = setUp(upper);
    expect(await translate('Good morning', { source: 'en' })).toEqual({
      text: 'GOOD MORNING',
      source: 'en',
      target: 'de',
      warnings: [],
    });
    expect(calls[0]).toMatchObject({ temperature: 0.2, maxOutputTokens: expect.any(Number) });
    expect(JSON.stringify(calls[0]?.prompt)).toContain('Translate from English to German');
  });

  it('keeps code, addresses, placeholders and Markdown byte for byte', async () => {
    const text =
      '# Install\n\nRun `npm i` and open https://example.org/x, {{name}}.\n\n```sh\nrm -rf build\n```\n\n- **first**\n- [guide](docs/guide.md)\n';
    const { translate, calls } = setUp(upper);
    expect((await translate(text)).text).toBe(
      '# INSTALL\n\nRUN `npm i` AND OPEN https://example.org/x, {{name}}.\n\n```sh\nrm -rf build\n```\n\n- **FIRST**\n- [GUIDE](docs/guide.md)\n',
    );
    expect(JSON.stringify(calls.map(({ prompt }) => prompt))).not.toMatch(/rm -rf|npm i|example\.org/);
  });

  it('cuts a long text, asks for three pieces at most at once, and joins them in order', async () => {
    const { translate, calls, most } = setUp(async (text, call) => {
      await new Promise((resolve) => setTimeout(resolve, call % 2 ? 15 : 1));
      return upper(text);
    });
    const text = Array.from({ length: 40 }, (_, index) => `Paragraph ${index} ${'word '.repeat(60)}end.`).join('\n\n');
    expect((await translate(text)).text).toBe(upper(text));
    expect(calls.length).toBeGreaterThan(6);
    expect(most()).toBe(3);
  });

  it('asks once more when a placeholder was lost, then leaves the piece with a warning', async () => {
    const second = setUp((text, call) => (call === 1 ? 'OHNE' : upper(text)));
    expect(await second.translate('Run `x` now')).toMatchObject({ text: 'RUN `x` NOW', warnings: [] });
    expect(JSON.stringify(second.calls[1]?.prompt)).toContain('lost or doubled');

    const never = setUp(() => 'OHNE');
    expect(await never.translate('Run `x` now')).toMatchObject({
      text: 'Run `x` now',
      warnings: [{ chunk: 0, code: 'placeholders_lost' }],
    });
    expect(never.calls).toHaveLength(2);
  });

  it.each([
    ['empty', () => '  '],
    ['not_translated', (text: string) => text],
    [
      'not_translated',
      (_text: string, _call: number, { prompt }: LanguageModelV4CallOptions) => String(prompt[0]?.content),
    ],
    ['rambles', () => 'blah '.repeat(400)],
    ['rambles', (text: string) => `${text.toUpperCase()}\n\nI hope this helps!`],
  ])('fails with %s rather than pass off what is no translation', async (reason, answer) => {
    await expect(setUp(answer).translate('this is what somebody wrote')).rejects.toMatchObject({
      code: 'translation_failed',
      details: { reason },
    });
  });

  it('fails when the model was cut off', async () => {
    await expect(setUp(upper, { finish: 'length' }).translate('some words')).rejects.toMatchObject({
      details: { reason: 'cut_off' },
    });
  });

  it('believes the detector over the model when an answer is still in the old language', async () => {
    const text = 'a sentence that is long enough to tell which language it is';
    const { translate } = setUp(() => 'another sentence in the very same language as before', { detect: () => 'en' });
    await expect(translate(text)).rejects.toMatchObject({ details: { reason: 'not_translated' } });
  });

  it('remembers for a day, by languages, model and text, and not when told not to', async () => {
    const { translate, calls, advance } = setUp(upper);
    await translate('word');
    await translate('word');
    expect(calls).toHaveLength(1);
    await translate('word', { source: 'en' });
    expect(calls).toHaveLength(2);
    await translate('word', { useCache: false });
    expect(calls).toHaveLength(3);
    advance(86_400_001);
    await translate('word');
    expect(calls).toHaveLength(4);
  });

  it('asks nobody when there is nothing to translate', async () => {
    const { translate, calls } = setUp(upper);
    for (const text of ['', '  \n', '12 + 30 = 42', '```\ncode\n```', '`x` {y}'])
      expect((await translate(text)).text).toBe(text);
    expect((await translate('already German', { source: 'de' })).text).toBe('already German');
    expect(calls).toEqual([]);
  });

  it('knows three languages; others are asked for on purpose and must be trusted', async () => {
    const { translate } = setUp(upper);
    await expect(translate('x', { target: 'fr' })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(translate('x', { target: 'DE' })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(translate('x', { target: 'it', allowAny: true })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(translate('x', { source: 'no language' })).rejects.toMatchObject({ code: 'invalid_input' });
    expect((await translate('x y', { target: 'fr', allowAny: true })).text).toBe('X Y');
  });

  it('says what the engine said, and ends when it takes too long or nobody waits', async () => {
    const refused = setUp(() => {
      throw new AppError('runtime_crashed', 'It crashed.');
    });
    await expect(refused.translate('some words')).rejects.toMatchObject({
      code: 'translation_failed',
      details: { reason: 'runtime_crashed' },
    });
    const waits = (_text: string, _call: number, { abortSignal }: LanguageModelV4CallOptions) =>
      new Promise<string>((_, reject) => abortSignal?.addEventListener('abort', () => reject(abortSignal.reason)));
    await expect(setUp(waits, { timeoutMs: 20 }).translate('some words')).rejects.toMatchObject({
      details: { reason: 'upstream_timeout' },
    });
    const gone = new AbortController();
    const left = setUp(waits).translate('some words', { signal: gone.signal });
    gone.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('an answer in the language a person prefers', () => {
  const detect = (text: string) => (text.includes('the') ? 'en' : null);
  const { signal } = new AbortController();

  it.each([
    ['an answer in the language already', 'the text', 'en'],
    ['no letters', '42 – 7', 'de'],
  ])('asks nobody for %s', async (_what, text, language) => {
    const { translator, calls } = setUp(upper, { detect });
    expect(await translator.translateAnswer(text, language, signal)).toBeNull();
    expect(calls).toEqual([]);
  });

  it('is translated, and what cannot be told apart too', async () => {
    const { translator } = setUp(upper, { detect });
    expect(await translator.translateAnswer('the text', 'de', signal)).toEqual({ text: 'THE TEXT', source: 'en' });
    expect(await translator.translateAnswer('a text', 'de', signal)).toEqual({ text: 'A TEXT', source: 'unknown' });
  });

  it('fails with a code, or is kept where it is shown in any case', async () => {
    const { translator } = setUp(() => '', { detect });
    await expect(translator.translateAnswer('the text', 'de', signal)).rejects.toMatchObject({
      code: 'translation_failed',
    });
    await expect(translator.translateAnswer('the text', 'fr', signal)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await translator.translateOrKeep('the text', 'de', signal)).toBe('the text');
  });
});
