import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPlan } from './plan.js';

const step = (step_number: number, depends_on: unknown = [], agent_type = 'CODER') => ({
  step_number,
  agent_type,
  instruction: `Do ${step_number}`,
  depends_on,
});
const check = (...steps: object[]) => checkPlan(JSON.stringify({ steps }));

describe('checkPlan', () => {
  it('takes a plan out of the words around it', () => {
    expect(checkPlan(`Sure!\n\`\`\`json\n${JSON.stringify({ steps: [step(1)] })}\n\`\`\``)).toEqual({
      plan: [{ number: 1, agent: 'CODER', instruction: 'Do 1', dependsOn: [] }],
    });
  });

  it('counts from one, however the model counted, and carries what depends on what along', () => {
    expect(check(step(100), step(7, [100]), step(0, 7, 'researcher'))).toEqual({
      plan: [
        { number: 1, agent: 'CODER', instruction: 'Do 100', dependsOn: [] },
        { number: 2, agent: 'CODER', instruction: 'Do 7', dependsOn: [1] },
        { number: 3, agent: 'RESEARCHER', instruction: 'Do 0', dependsOn: [2] },
      ],
    });
    expect(check(step(1, null))).toMatchObject({ plan: [{ dependsOn: [] }] });
  });

  it('names every mistake in words a model can act on', () => {
    expect(check(step(1, [2], 'WIZARD'), step(1))).toEqual({
      problems: [
        'Step 1: agent_type must be one of RESEARCHER, CODER, LIBRARIAN, TOOLMAKER.',
        'Step 1 depends on 2, which is not an earlier step.',
        'Step number 1 is used twice.',
      ],
    });
    expect(check(step(1, [2]), step(1))).not.toHaveProperty('inOrder');
    expect(check(step(1, [2]), { ...step(1), instruction: 'Then do more' })).toMatchObject({
      inOrder: [
        { number: 1, dependsOn: [] },
        { number: 2, dependsOn: [1] },
      ],
    });
    expect(checkPlan('no')).toEqual({ problems: ['The answer holds no JSON object.'] });
    expect(check()).toHaveProperty('problems');
  });

  it('lets no plan through whose steps wait for each other', () => {
    const steps = fc.array(
      fc.record({
        number: fc.integer({ min: 0, max: 5 }),
        needs: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(steps, (given) => {
        const checked = check(...given.map(({ number, needs }) => step(number, needs)));
        if ('problems' in checked) return;
        for (const { number, dependsOn } of checked.plan)
          for (const needed of dependsOn) expect(needed > 0 && needed < number).toBe(true);
      }),
    );
  });
});
