import { describe, expect, it } from 'vitest';
import { makePlan } from './make-plan.js';
import { PLAN_SCHEMA } from './plan.js';
import { readShortPlan, SHORT_PLAN_SCHEMA } from './short-plan.js';
import { splitGoal } from './split-goal.js';

const GOAL = 'Write a two-line poem about foxes, and a title for it.';
const full = (...instructions: string[]) =>
  JSON.stringify({
    steps: instructions.map((instruction, index) => ({
      step_number: index + 1,
      agent_type: 'CODER',
      instruction,
      depends_on: [],
    })),
  });
const short = (...steps: string[]) => JSON.stringify({ steps });

async function make(answers: string[], changes: { small?: boolean; goal?: string } = {}) {
  const asked: { schema: object; last: string }[] = [];
  const refused: string[] = [];
  const plan = await makePlan({
    goal: changes.goal ?? GOAL,
    language: 'en',
    messages: [{ role: 'user', content: GOAL }],
    small: changes.small ?? false,
    ask: async (messages, schema) => {
      asked.push({ schema, last: messages.at(-1)?.content ?? '' });
      return answers.shift() ?? '';
    },
    onRefused: (_attempt, problems) => refused.push(problems.join(' ')),
  });
  return { plan, asked, refused };
}

describe('makePlan', () => {
  it('takes a plan as it comes, or once it is mended', async () => {
    const { plan, asked } = await make(['nonsense', full('Write the poem', 'Find a title')]);
    expect(plan).toMatchObject({ source: 'model', steps: [{ number: 1 }, { number: 2 }] });
    expect(asked.map(({ schema }) => schema)).toEqual([PLAN_SCHEMA, PLAN_SCHEMA]);
    expect(asked[1]?.last).toContain('holds no JSON');
  });

  it('asks in the simple form when the long one fails twice, and a small model at once', async () => {
    const simple = short('1. Write two lines about foxes', '2. Choose a title', '2. Choose a title');
    for (const { answers, small } of [
      { answers: [full('Foxes'), full('Foxes'), simple], small: false },
      { answers: [simple], small: true },
    ]) {
      const { plan, asked } = await make(answers, { small });
      expect(asked.at(-1)?.schema).toBe(SHORT_PLAN_SCHEMA);
      expect(asked).toHaveLength(small ? 1 : 3);
      expect(plan).toEqual({
        source: 'model',
        steps: [
          { number: 1, agent: 'CODER', instruction: 'Write two lines about foxes', dependsOn: [] },
          { number: 2, agent: 'CODER', instruction: 'Choose a title', dependsOn: [1] },
        ],
      });
    }
  });

  it('divides the goal by its own words where no model can plan it, and says so', async () => {
    const { plan, refused } = await make([short(GOAL, GOAL)], { small: true });
    expect(plan.source).toBe('words');
    expect(plan.steps.map(({ instruction }) => instruction)).toEqual([
      'Write a two-line poem about foxes',
      'a title for it.',
    ]);
    expect(refused).toHaveLength(1);
    expect((await make(['', '', ''], { goal: 'Write a poem' })).plan).toMatchObject({
      source: 'whole',
      steps: [{ instruction: 'Write a poem' }],
    });
  });
});

describe('splitGoal', () => {
  it.each([
    [
      'en',
      'Find three books about tea and compare them, then write a short review.',
      ['Find three books about tea', 'compare them', 'write a short review.'],
    ],
    [
      'pl',
      'Zaplanuj remont małej łazienki i przygotuj listę zakupów',
      ['Zaplanuj remont małej łazienki', 'przygotuj listę zakupów'],
    ],
    [
      'pl',
      'Napisz program w Pythonie, który liczy słowa w pliku, i opisz jak go uruchomić',
      ['Napisz program w Pythonie, który liczy słowa w pliku', 'opisz jak go uruchomić'],
    ],
    [
      'de',
      'Schreibe ein Gedicht über den Herbst und übersetze es ins Englische',
      ['Schreibe ein Gedicht über den Herbst', 'übersetze es ins Englische'],
    ],
    ['en', '1. Collect the data\n2. Clean it up\n3. Draw a chart', ['Collect the data', 'Clean it up', 'Draw a chart']],
    ['en', 'Compare apples and pears', []],
    ['en', 'Buy bread, milk and eggs', []],
  ] as const)('%s %j', (language, goal, parts) => {
    expect(splitGoal(goal, language)).toEqual(parts);
  });

  it.each([
    ['en', 'Plan a birthday party for ten children in a small garden'],
    ['de', 'Plane eine Woche Urlaub an der Ostsee für eine Familie mit zwei Kindern'],
    ['pl', 'Zaplanuj tydzień wakacji nad morzem dla rodziny z dwójką małych dzieci'],
  ] as const)('makes phases of a long goal of one piece: %s', (language, goal) => {
    const parts = splitGoal(goal, language);
    expect(parts).toHaveLength(3);
    for (const part of parts) expect(part.endsWith(`: ${goal}`)).toBe(true);
  });

  it('never makes more than four, and loses no word', () => {
    const goal = Array.from({ length: 9 }, (_, index) => `Do the thing number ${index}.`).join(' ');
    const parts = splitGoal(goal, 'en');
    expect(parts).toHaveLength(4);
    expect(parts.join(' ')).toBe(goal);
  });
});

describe('readShortPlan', () => {
  it.each([
    ['no JSON', 'no'],
    ['the goal itself', short(GOAL, `${GOAL} `)],
    ['one word again and again', short('1. 1. 1. 1. 1.', 'go go go go')],
    ['stammer', short('eine eine Familie', 'eine Woche Urlaub')],
    ['words without sense', short('fennekre', 'fennekre')],
    ['other things than text', '{"steps":[1,2]}'],
  ])('takes no %s', (_what, text) => {
    expect(readShortPlan(text, GOAL)).toBeNull();
  });
});
