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
    limit: 500,
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'text') events.push(event.text);
      else if (event.type === 'call-end') events.push(`|${event.name} ${event.input}`);
      else if (event.type === 'call-start') events.push(`|${event.name}?`);
    },
    ...rest,
  });
  const finish = await writer.write();
  return { finish, said: events.join(''), asked, count: writer.completionTokens };
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

  it('a call that is cut off is none, wherever that is', async () => {
    const says = [`Hi ${MARK}`, 'look[ARGS]{"a": 1}'];
    // Within its opening, its name and its input, and at its very end.
    expect(await answer(says, NAMED, { limit: 4 })).toMatchObject({ finish: 'length', said: 'Hi' });
    expect(await answer(says, NAMED, { limit: 9 })).toMatchObject({ finish: 'length', said: 'Hi' });
    expect(await answer(says, NAMED, { limit: 18 })).toMatchObject({ finish: 'length', said: 'Hi|look?' });
    expect(await answer(says, NAMED, { limit: 22 })).toMatchObject({ finish: 'tool-calls', count: 22 });
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
