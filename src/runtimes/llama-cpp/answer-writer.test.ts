// What becomes of a model's tokens, on a model whose tokens are single characters and which says what the test tells it to.
import type { LlamaContextSequence, LlamaModel, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import { describe, expect, it } from 'vitest';
import { type AnswerOrder, AnswerWriter, type Grammars } from './answer-writer.js';
import { type CallSyntax, GENERIC } from './tool-calls/call-syntax.js';

const MARK = '[TOOL_CALLS]';
/** A token that leaves no trace in the text. */
const MARK_TOKEN = 1_000_000 as Token;
const NAMED: CallSyntax = {
  family: 'mistral-named',
  input: { kind: 'json' },
  markers: [MARK],
  bare: false,
  open: MARK,
  beforeName: '',
  afterName: '[ARGS]',
  tail: '',
  between: null,
  close: '',
};

const tokens = (text: string): Token[] =>
  text
    .split(MARK)
    .flatMap((part, index) => [
      ...(index > 0 ? [MARK_TOKEN] : []),
      ...[...part].map((character) => character.codePointAt(0) as Token),
    ]);
const text = (read: readonly Token[]) =>
  read.map((token) => (token === MARK_TOKEN ? '' : String.fromCodePoint(token))).join('');

/** Says one text after the other, each time it is asked to go on; what it is given before is noted. */
function engine(...says: string[]) {
  const asked: { after: string; held: boolean }[] = [];
  let context: Token[] = [];
  const model = {
    tokenize: (given: string, special: boolean) =>
      special ? tokens(given) : [...given].map((character) => character.codePointAt(0)),
    detokenize: text,
  } as unknown as LlamaModel;
  const sequence = {
    get nextTokenIndex() {
      return context.length;
    },
    adaptStateToTokens: async (wanted: Token[]) => {
      let same = 0;
      while (same < context.length && context[same] === wanted[same]) same += 1;
      context = context.slice(0, same);
    },
    eraseContextTokenRanges: async ([{ start }]: [{ start: number }]) => {
      context = context.slice(0, start);
    },
    async *evaluate(more: Token[], { grammarEvaluationState }: SequenceEvaluateOptions) {
      context.push(...more);
      const whole = context.map((token) => (token === MARK_TOKEN ? MARK : String.fromCodePoint(token))).join('');
      asked.push({ after: whole, held: grammarEvaluationState !== undefined });
      for (const token of tokens(says.shift() ?? '')) {
        yield token;
        context.push(token);
      }
    },
  } as unknown as LlamaContextSequence;
  return { model, sequence, asked };
}

const grammars = { state: async () => ({}) } as unknown as Grammars;

async function answer(says: string[], syntax: CallSyntax, rest: Partial<AnswerOrder> = {}) {
  const { model, sequence, asked } = engine(...says);
  const events: string[] = [];
  const writer = new AnswerWriter(model, grammars, sequence, {
    prompt: tokens('Q:'),
    sampling: { stop: [], json: undefined, repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0 } as never,
    tools: {
      tools: [
        { name: 'look', description: undefined, schema: {} },
        { name: 'go', description: undefined, schema: {} },
      ],
      mustCall: false,
      only: null,
      single: false,
    },
    syntax,
    thoughts: null,
    limit: 500,
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'text') events.push(event.text);
      else if (event.type === 'thought') events.push(`(${event.text})`);
      else if (event.type === 'call-end') events.push(`|${event.name} ${event.input}`);
      else if (event.type === 'call-start') events.push(`|${event.name}?`);
    },
    ...rest,
  });
  const finish = await writer.write();
  const said = events.join('').replaceAll(')(', '');
  return { finish, said, asked, count: writer.completionTokens, thoughtTokens: writer.thoughtTokens };
}

describe('AnswerWriter', () => {
  it('lets a model say what it likes', async () => {
    const { finish, said, asked, count } = await answer(['Hello.'], NAMED);
    expect({ finish, said, count }).toEqual({ finish: 'stop', said: 'Hello.', count: 6 });
    expect(asked).toEqual([{ after: 'Q:', held: false }]);
  });

  it('holds it to a grammar from the mark of a call on, also where that is a token without text', async () => {
    const { finish, said, asked } = await answer([`Well. ${MARK}nonsense`, 'look[ARGS]{"a": 1}'], NAMED);
    expect({ finish, said }).toEqual({ finish: 'tool-calls', said: 'Well.|look?|look {"a": 1}' });
    expect(asked.at(-1)).toEqual({ after: `Q:Well. ${MARK}`, held: true });
  });

  it('goes back to where the call began, in whole tokens, and opens it as its family does', async () => {
    const { finish, said, asked } = await answer(
      ['Well. <tool_call>{"x', '{"name": "go", "arguments": {}}\n</tool_call>'],
      GENERIC,
    );
    expect({ finish, said }).toEqual({ finish: 'tool-calls', said: 'Well.|go?|go {}' });
    expect(asked.at(-1)).toEqual({ after: 'Q:Well. <tool_call>\n', held: true });
  });

  it('takes JSON that names a tool for a call of that tool', async () => {
    const { said, asked } = await answer(['{"name": "go", "para', ' {"a": 1}}\n</tool_call>'], GENERIC);
    expect(said).toBe('|go?|go {"a": 1}');
    expect(asked.at(-1)).toEqual({ after: 'Q:<tool_call>\n{"name": "go", "arguments":', held: true });
  });

  it('opens a call that must be made by itself', async () => {
    const tools = {
      tools: [{ name: 'look', description: undefined, schema: {} }],
      mustCall: true,
      only: 'look',
      single: true,
    };
    const { said, asked } = await answer(['{"a": 1}'], NAMED, { tools });
    expect(said).toBe('|look?|look {"a": 1}');
    expect(asked).toEqual([{ after: `Q:${MARK}look[ARGS]`, held: true }]);
  });

  it('a call that is cut off is none, wherever that is, and what nobody was shown of it is text', async () => {
    const says = [`Hi ${MARK}`, 'look[ARGS]{"a": 1}'];
    // Within its opening, its name and its input, and at its very end.
    expect(await answer(says, NAMED, { limit: 4 })).toMatchObject({ finish: 'length', said: `Hi${MARK}` });
    expect(await answer(says, NAMED, { limit: 9 })).toMatchObject({ finish: 'length', said: `Hi${MARK}look[` });
    expect(await answer(says, NAMED, { limit: 18 })).toMatchObject({ finish: 'length', said: 'Hi|look?' });
    expect(await answer(says, NAMED, { limit: 22 })).toMatchObject({ finish: 'tool-calls', count: 22 });
  });

  it('gives a call in elements that is cut off back as text, and words before it as they come', async () => {
    const elements: CallSyntax = {
      family: 'elements',
      input: { kind: 'elements', beforeKey: '<p=', afterKey: '>', afterValue: '</p>' },
      markers: ['<call>'],
      bare: false,
      open: '<call><f=',
      beforeName: '',
      afterName: '>',
      tail: '',
      between: null,
      close: '</f></call>',
    };
    const says = ['So. <call>', 'look><p=a>Rome</p></f></call>'];
    expect(await answer(says, elements)).toMatchObject({
      finish: 'tool-calls',
      said: 'So.|look?|look {"a": "Rome"}',
    });
    // Within its name, an argument's name and its value.
    for (const limit of [15, 20, 27])
      expect(await answer(says, elements, { limit })).toMatchObject({
        finish: 'length',
        said: `So.<call><f=${says[1]?.slice(0, limit - 'So. <call><f='.length)}`,
      });
  });

  it('ends words at a stop sequence, but no call', async () => {
    const sampling = {
      stop: ['"a"', 'END'],
      json: undefined,
      repeatPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
    } as never;
    expect(await answer(['So END x'], NAMED, { sampling })).toMatchObject({ finish: 'stop', said: 'So ' });
    expect(await answer([`So ${MARK}`, 'look[ARGS]{"a": 1}'], NAMED, { sampling })).toMatchObject({
      said: 'So|look?|look {"a": 1}',
    });
  });

  it('shows what looked like the beginning of a call and was none', async () => {
    expect(await answer(['a <tool_x> and <tool_'], GENERIC)).toMatchObject({
      finish: 'stop',
      said: 'a <tool_x> and <tool_',
    });
  });
});

const plainSampling = { stop: [] as string[], repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0 };
const sampled = (rest: object) => ({ ...plainSampling, json: undefined, ...rest }) as never;
const THINKS = { marks: { open: '<think>', close: '</think>' }, opened: false };
const OPENED = { ...THINKS, opened: true };
const CHANNELS = { marks: null, opened: false };
const must = {
  tools: [{ name: 'look', description: undefined, schema: {} }],
  mustCall: true,
  only: 'look',
  single: true,
};
const HARMONY: CallSyntax = {
  ...NAMED,
  family: 'channels',
  markers: ['<|channel|>commentary to=functions.'],
  open: '<|channel|>commentary to=functions.',
  afterName: ' <|constrain|>json<|message|>',
  between: null,
};

describe('AnswerWriter, for a model that thinks', () => {
  it('tells thoughts from the answer, and counts them', async () => {
    const tools = undefined;
    expect(await answer(['<think>\nHm.\n</think>\n\nYes.'], GENERIC, { tools, thoughts: THINKS })).toMatchObject({
      finish: 'stop',
      said: '(Hm.)Yes.',
      count: 26,
      thoughtTokens: 19,
    });
    expect(await answer(['Hm.</think>Yes.'], GENERIC, { tools, thoughts: OPENED })).toMatchObject({
      said: '(Hm.)Yes.',
    });
    expect(await answer(['Yes <think>.'], GENERIC, { tools, thoughts: THINKS })).toMatchObject({
      said: 'Yes <think>.',
    });
    expect(await answer(['<think>Yes</think>'], GENERIC, { tools, thoughts: null })).toMatchObject({
      said: '<think>Yes</think>',
    });
  });

  it('ends where there is no room left, also within a thought', async () => {
    const rest = { tools: undefined, thoughts: THINKS, limit: 12 };
    expect(await answer(['<think>Hm, this is long'], GENERIC, rest)).toMatchObject({
      finish: 'length',
      said: '(Hm, t)',
      thoughtTokens: 12,
    });
    const held = { ...rest, sampling: sampled({ json: true }) };
    expect(await answer(['<think>Hm, this is long', '{}'], GENERIC, held)).toMatchObject({
      finish: 'length',
      said: '(Hm, t)',
    });
  });

  it('looks for stop sequences in the answer only', async () => {
    const rest = { tools: undefined, thoughts: THINKS, sampling: sampled({ stop: ['no'] }) };
    expect(await answer(['<think>no, no</think>Well, no.'], GENERIC, rest)).toMatchObject({
      finish: 'stop',
      said: '(no, no)Well, ',
    });
  });

  it('thinks freely before it is held to a schema, and keeps its own blanks in between', async () => {
    const rest = { tools: undefined, sampling: sampled({ json: true }) };
    const thinking = await answer(['<think>Hm.</think>\n\nWell, ', '{"a": 1}'], GENERIC, { ...rest, thoughts: THINKS });
    expect(thinking.said).toBe('(Hm.){"a": 1}');
    expect(thinking.asked).toEqual([
      { after: 'Q:', held: false },
      { after: 'Q:<think>Hm.</think>\n\n', held: true },
    ]);
    const atOnce = await answer(['Well, ', '{"a": 1}'], GENERIC, { ...rest, thoughts: THINKS });
    expect(atOnce).toMatchObject({ said: '{"a": 1}', count: 8, thoughtTokens: 0 });
    const unclosed = await answer(['Hm.', '{}'], GENERIC, { ...rest, thoughts: OPENED });
    expect(unclosed.asked.at(-1)).toEqual({ after: 'Q:Hm.</think>\n\n', held: true });
  });

  it('does not think where it is told not to and the answer is held to a form, whatever its template knows', async () => {
    const rest = { tools: undefined, sampling: sampled({ json: true, think: false }) };
    const first = async (thoughts: AnswerOrder['thoughts']) =>
      (await answer(['{}'], GENERIC, { ...rest, thoughts })).asked[0];
    expect(await first(THINKS)).toEqual({ after: 'Q:', held: true });
    expect(await first(OPENED)).toEqual({ after: 'Q:</think>\n\n', held: true });
    expect(await first(CHANNELS)).toEqual({ after: 'Q:<|channel|>final<|message|>', held: true });
  });

  it('thinks before a call, whether it must make one or may', async () => {
    const forced = await answer(['<think>Hm.</think>\nI', '{"a": 1}'], NAMED, { tools: must, thoughts: THINKS });
    expect(forced.said).toBe('(Hm.)|look?|look {"a": 1}');
    expect(forced.asked.at(-1)).toEqual({ after: `Q:<think>Hm.</think>\n${MARK}look[ARGS]`, held: true });
    const free = await answer([`<think>Call ${MARK}?</think>\nSo: ${MARK}no`, 'look[ARGS]{"a": 1}'], NAMED, {
      thoughts: THINKS,
    });
    expect(free.said).toBe(`(Call ${MARK}?)So:|look?|look {"a": 1}`);
    expect(free.asked.at(-1)?.after).toBe(`Q:<think>Call ${MARK}?</think>\nSo: ${MARK}`);
  });

  it('reads channels: thoughts, the answer, calls of tools, and what is held to a schema', async () => {
    const thought = '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant';
    const final = '<|channel|>final<|message|>';
    const plain = { tools: undefined, thoughts: CHANNELS };
    expect(await answer([`${thought}${final}Yes.`], GENERIC, plain)).toMatchObject({ said: '(Hm.)Yes.' });
    const held = await answer([`${thought}${final}Well`, '{}'], GENERIC, {
      ...plain,
      sampling: sampled({ json: true }),
    });
    expect(held.said).toBe('(Hm.){}');
    expect(held.asked.at(-1)).toEqual({ after: `Q:${thought}${final}`, held: true });
    const called = await answer(
      [`${thought}<|channel|>commentary to=functions.go`, 'look <|constrain|>json<|message|>{"a": 1}'],
      HARMONY,
      { thoughts: CHANNELS },
    );
    expect(called).toMatchObject({ finish: 'tool-calls', said: '(Hm.)|look?|look {"a": 1}' });
    expect(called.asked.at(-1)).toEqual({
      after: `Q:${thought}<|channel|>commentary to=functions.`,
      held: true,
    });
    const forced = await answer([`${thought}${final}No`, '{"a": 1}'], HARMONY, { tools: must, thoughts: CHANNELS });
    expect(forced.said).toBe('(Hm.)|look?|look {"a": 1}');
    expect(forced.asked.at(-1)?.after).toBe(`Q:${thought}${HARMONY.open}look${HARMONY.afterName}`);
  });
});
