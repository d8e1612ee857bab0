// Conversations of models that think, as their own templates write them; each character is a token.
import type { LlamaModel, Token } from 'node-llama-cpp';
import { describe, expect, it } from 'vitest';
import { THINKING_TEMPLATES } from '../../../test/stand-ins/thinking-templates.js';
import { PromptTokenizer } from './prompt-tokens.js';
import type { Think } from './thoughts/thought-traits.js';
import type { ChatMessage } from './worker-protocol.js';

type Family = keyof typeof THINKING_TEMPLATES;
const text = (tokens: readonly Token[]) => String.fromCodePoint(...tokens);

const modelOf = (template: string) =>
  ({
    fileInfo: { metadata: { general: { architecture: 'llama' }, tokenizer: { chat_template: template } } },
    tokens: { bosString: '<s>', eosString: '</s>', bos: null, shouldPrependBosToken: false },
    tokenize: (given: string) => [...given].map((character) => character.codePointAt(0) as Token),
    detokenize: text,
    isSpecialToken: () => false,
  }) as unknown as LlamaModel;

function prompt(
  family: Family,
  messages: ChatMessage[],
  think?: Think,
  tools?: Parameters<PromptTokenizer['tokens']>[1],
) {
  const { tokens, ...rest } = new PromptTokenizer(modelOf(THINKING_TEMPLATES[family])).tokens(messages, tools, think);
  return { said: text(tokens), ...rest };
}
const question: ChatMessage[] = [{ role: 'user', text: 'Is it?' }];
const look = {
  tools: [{ name: 'look', description: 'Looks', schema: { type: 'object', properties: {} } }],
  mustCall: false,
  only: null,
  single: false,
};

describe('PromptTokenizer, for models that think', () => {
  it.each([
    ['QWEN_3', undefined, 'assistant\n', false],
    ['QWEN_3', false, '<think>\n\n</think>\n\n', false],
    ['QWEN_3_THINKING', undefined, '<think>\n', true],
    ['DEEPSEEK_R1', undefined, '<think>\n', true],
    ['DEEPSEEK_V3_1', undefined, '</think>', false],
    ['DEEPSEEK_V3_1', true, '<think>', true],
    ['MAGISTRAL', undefined, '[/INST]', false],
    ['SEED_OSS', undefined, 'assistant\n', false],
    ['SEED_OSS', false, '</seed:think>', false],
    ['GPT_OSS', undefined, '<|start|>assistant', false],
  ] as const)('%s, think %s: the prompt ends with %j', (family, think, end, opened) => {
    const { said, thoughts } = prompt(family, question, think);
    expect(said.endsWith(end)).toBe(true);
    expect(thoughts?.opened).toBe(opened);
  });

  it('tells gpt-oss how much to think', () => {
    expect(prompt('GPT_OSS', question, 'high').said).toContain('Reasoning: high');
    expect(prompt('GPT_OSS', question).said).toContain('Reasoning: medium');
  });

  it.each(['QWEN_3', 'QWEN_3_THINKING', 'DEEPSEEK_R1'] as const)(
    '%s: thoughts that a client sends back within an answer are not shown again',
    (family) => {
      const answered: ChatMessage = { role: 'assistant', text: '<think>Hm.</think>\n\nYes.' };
      const { said } = prompt(family, [...question, answered, { role: 'user', text: 'Sure?' }]);
      expect(said).toContain('Yes.');
      expect(said).not.toContain('Hm.');
    },
  );

  it('lets the template decide about thoughts between a call and its result', () => {
    const call: ChatMessage = {
      role: 'assistant',
      text: '',
      thought: 'I must look.',
      calls: [{ id: 'a', name: 'look', input: {} }],
    };
    const result: ChatMessage = { role: 'tool', id: 'a', name: 'look', text: 'Sunny.' };
    for (const family of ['QWEN_3', 'GPT_OSS'] as const)
      expect(prompt(family, [...question, call, result], undefined, look).said).toContain('I must look.');
  });

  it('knows how gpt-oss calls tools', () => {
    const { syntax } = prompt('GPT_OSS', question, undefined, look);
    expect(syntax).toMatchObject({ family: 'channels', open: '<|channel|>commentary to=functions.' });
  });
});
