import { describe, expect, it } from 'vitest';
import { PLAIN, TAGS } from '../../../../test/stand-ins/chat-templates.js';
import { THINKING_TEMPLATES } from '../../../../test/stand-ins/thinking-templates.js';
import { heardThink, templateWords, thoughtTraits } from './thought-traits.js';

const of = (name: keyof typeof THINKING_TEMPLATES) => thoughtTraits(THINKING_TEMPLATES[name]);
const think = { open: '<think>', close: '</think>' };

describe('thoughtTraits', () => {
  it.each([
    ['QWEN_3', { marks: think, switch: 'enable_thinking', efforts: false }],
    ['QWEN_3_THINKING', { marks: think, switch: null, efforts: false }],
    ['DEEPSEEK_R1', { marks: think, switch: null, efforts: false }],
    ['DEEPSEEK_V3_1', { marks: think, switch: 'thinking', efforts: false }],
    ['MAGISTRAL', { marks: { open: '[THINK]', close: '[/THINK]' }, switch: null, efforts: false }],
    [
      'SEED_OSS',
      { marks: { open: '<seed:think>', close: '</seed:think>' }, switch: 'thinking_budget', efforts: false },
    ],
    ['GPT_OSS', { marks: null, switch: null, efforts: true }],
  ] as const)('%s', (name, traits) => {
    expect(of(name)).toEqual(traits);
  });

  it('finds none where a template knows no thoughts', () => {
    expect([PLAIN, TAGS].map(thoughtTraits)).toEqual([null, null]);
  });
});

describe('heardThink', () => {
  it('says what reaches the template, null for what does not', () => {
    const heard = (name: keyof typeof THINKING_TEMPLATES | null) =>
      ([true, false, 'low'] as const).map((wish) => heardThink(wish, name && of(name)));
    expect(heard('QWEN_3')).toEqual([true, false, true]);
    expect(heard('DEEPSEEK_R1')).toEqual([true, null, true]);
    expect(heard('GPT_OSS')).toEqual([true, null, 'low']);
    // Who does not think loses nothing when it is told not to.
    expect(heard(null)).toEqual([null, undefined, null]);
    expect(heardThink(undefined, of('QWEN_3'))).toBeUndefined();
  });

  it("is said in the template's own words", () => {
    const words = (name: keyof typeof THINKING_TEMPLATES, wish: boolean | 'low') =>
      templateWords(wish, of(name) as NonNullable<ReturnType<typeof of>>);
    expect(words('QWEN_3', false)).toEqual({ enable_thinking: false });
    expect(words('DEEPSEEK_V3_1', true)).toEqual({ thinking: true });
    expect(words('SEED_OSS', false)).toEqual({ thinking_budget: 0 });
    expect(words('GPT_OSS', 'low')).toEqual({ reasoning_effort: 'low' });
    expect(words('DEEPSEEK_R1', true)).toEqual({});
  });
});
