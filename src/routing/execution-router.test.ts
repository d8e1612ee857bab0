import { describe, expect, it } from 'vitest';
import { TASK_TYPES } from './decision.js';
import { decideRoute, type RouteFacts } from './execution-router.js';
import { defaultPolicy } from './policy.js';
import { estimatedCostUsd } from './pricing.js';

const CHEAP = { inputPer1k: 0.0001, outputPer1k: 0.0004 };
const local = { target: 'local', provider: 'ollama', model: 'phi3', endpoint: 'http://127.0.0.1:11434' } as const;
const cloudOf = (name: string) => ({
  hasKey: true,
  endpoint: `https://${name}.example`,
  high: `${name}-high`,
  fast: `${name}-fast`,
  resting: false,
});

function facts(changes: Partial<RouteFacts> = {}): RouteFacts {
  const aiMode = changes.aiMode ?? 'HYBRID';
  return {
    taskType: 'STANDARD',
    mode: 'normal',
    chars: 100,
    level: () => 'LOW',
    language: null,
    findings: [],
    labels: [],
    masking: false,
    aiMode,
    forceLocal: false,
    paid: true,
    policy: defaultPolicy(aiMode, { complexityThreshold: 5, costThresholdUsd: 0.01 }),
    preference: null,
    local,
    localLeaves: false,
    cloudProvider: 'google',
    cloud: { openai: cloudOf('openai'), google: cloudOf('google'), 'cloud-compatible': cloudOf('compatible') },
    price: () => CHEAP,
    budgetRemainingUsd: null,
    draw: 0,
    ...changes,
  };
}

const decide = (changes: Partial<RouteFacts> = {}) => decideRoute(facts(changes)).decision;
const outcome = (changes: Partial<RouteFacts> = {}) => {
  const { target, model, reasonCode } = decide(changes);
  return [target, model, reasonCode];
};

describe('the table of AI_MODE', () => {
  it.each(TASK_TYPES)('LOCAL keeps %s in the house', (taskType) => {
    expect(decide({ aiMode: 'LOCAL', taskType }).target).toBe('local');
  });

  it.each([
    ['STANDARD', 'local'],
    ['CHAT', 'local'],
    ['CODING_SIMPLE', 'local'],
    ['RESEARCH', 'cloud'],
    ['GENERATION', 'cloud'],
    ['ANALYSIS', 'cloud'],
    ['CODING_COMPLEX', 'cloud'],
    ['SENSITIVE', 'local'],
  ] as const)('HYBRID sends %s to a %s model', (taskType, target) => {
    const decision = decide({ taskType });
    expect(decision.target).toBe(target);
    expect(decision.reasonCode).toBe(
      taskType === 'SENSITIVE'
        ? 'sensitive_content_override'
        : target === 'local'
          ? 'task_complexity_low'
          : 'task_complexity_high',
    );
  });

  it.each(TASK_TYPES.filter((type) => type !== 'SENSITIVE'))(
    'CLOUD sends %s to the cloud, with the house to fall back on',
    (taskType) => {
      expect(decide({ aiMode: 'CLOUD', taskType }).chain.map(({ target }) => target)).toEqual(['cloud', 'local']);
    },
  );

  it('counts length into the complexity', () => {
    expect(decide({ taskType: 'RESEARCH', chars: 500 }).complexity).toBe(4);
    expect(decide({ taskType: 'RESEARCH', chars: 501 }).complexity).toBe(5);
    expect(decide({ taskType: 'CODING_COMPLEX', chars: 1_001 }).complexity).toBe(9);
  });

  it('takes the fast model where the high one would cost too much', () => {
    const price = (_provider: string, model: string) =>
      model === 'google-high' ? { inputPer1k: 1, outputPer1k: 1 } : CHEAP;
    expect(outcome({ taskType: 'ANALYSIS', price })).toEqual(['cloud', 'google-fast', 'task_complexity_high']);
    expect(decide({ taskType: 'ANALYSIS', price }).estimatedCostUsd).toBe(estimatedCostUsd(CHEAP, 100));
  });

  it('guards the fast model by paid mode too', () => {
    const price = (_provider: string, model: string) =>
      model === 'google-high' ? { inputPer1k: 1, outputPer1k: 1 } : CHEAP;
    expect(outcome({ taskType: 'ANALYSIS', price, paid: false })).toEqual(['local', 'phi3', 'default_eco_mode']);
  });
});

describe('guards', () => {
  it('says why CLOUD without a key stays local', () => {
    const { google, ...others } = facts().cloud;
    expect(outcome({ aiMode: 'CLOUD', cloud: { ...others, google: { ...google, hasKey: false } } })).toEqual([
      'local',
      'phi3',
      'fallback_auth_error',
    ]);
  });

  it.each([
    [{ paid: false }, 'default_eco_mode'],
    [{ price: () => null }, 'policy_blocked_budget'],
    [{ budgetRemainingUsd: 0 }, 'policy_blocked_budget'],
  ] as const)('closes for %j', (changes, reasonCode) => {
    const decision = decide({ aiMode: 'CLOUD', ...changes });
    expect(decision).toMatchObject({ target: 'local', reasonCode, policyGatePassed: false });
    expect(decision.chain.every(({ target }) => target === 'local')).toBe(true);
  });

  it('leaves a provider alone that keeps failing', () => {
    const { google, ...others } = facts().cloud;
    expect(outcome({ aiMode: 'CLOUD', cloud: { ...others, google: { ...google, resting: true } } })[2]).toBe(
      'fallback_provider_degraded',
    );
  });

  it('lets what was asked for by name cost money, within the budget', () => {
    const preference = { where: 'cloud', provider: 'openai', model: 'gpt-4o', strict: false } as const;
    expect(outcome({ aiMode: 'LOCAL', paid: false, preference })).toEqual(['cloud', 'gpt-4o', 'user_preference']);
    expect(outcome({ aiMode: 'LOCAL', preference, budgetRemainingUsd: 0 })[2]).toBe('policy_blocked_budget');
  });

  it('does not answer with another model where one was named and cannot', () => {
    const preference = { where: 'cloud', provider: 'openai', model: 'gpt-4o', strict: true } as const;
    expect(decide({ preference, budgetRemainingUsd: 0 }).chain).toEqual([]);
  });
});

describe('what is sensitive', () => {
  it.each([{ findings: ['iban'] }, { labels: ['custom'] }, { taskType: 'SENSITIVE' as const }])(
    'has no cloud in its chain, whatever else is said: %j',
    (changes) => {
      for (const aiMode of ['LOCAL', 'HYBRID', 'CLOUD'] as const)
        for (const preference of [null, { where: 'cloud', provider: 'openai', model: 'gpt-4o', strict: true }] as const)
          expect(decide({ aiMode, preference, ...changes }).chain).toEqual([local]);
    },
  );

  it('may leave masked where all of it can be taken out, and only then', () => {
    expect(decide({ aiMode: 'CLOUD', masking: true, findings: ['iban'], labels: ['email'] }).target).toBe('cloud');
    expect(decide({ aiMode: 'CLOUD', masking: true, findings: ['iban', 'sensitive_word'] }).target).toBe('local');
    expect(decide({ aiMode: 'CLOUD', masking: true, labels: ['something else'] }).target).toBe('local');
    expect(decide({ aiMode: 'CLOUD', masking: true, taskType: 'SENSITIVE' }).target).toBe('local');
  });

  it('is not asked of a model that a local server has run elsewhere', () => {
    expect(decide({ findings: ['iban'], localLeaves: true }).chain).toEqual([]);
    expect(decide({ findings: ['iban'], localLeaves: true, masking: true }).chain).toEqual([]);
    expect(decide({ localLeaves: true }).chain).toEqual([local]);
  });

  it('has nobody to ask where there is no local model', () => {
    expect(decide({ findings: ['iban'], local: null }).chain).toEqual([]);
  });
});

describe('a policy of one’s own', () => {
  it('balances by weight and falls back on the others', () => {
    const single = (provider: 'openai' | 'google') =>
      ({ kind: 'single', target: { where: 'cloud', provider } }) as const;
    const policy = {
      kind: 'balance',
      choices: [
        { weight: 1, node: single('openai') },
        { weight: 3, node: single('google') },
      ],
    } as const;
    const first = (draw: number) => decide({ policy, draw }).chain.map(({ provider }) => provider);
    expect(first(0.2)).toEqual(['openai', 'google']);
    expect(first(0.3)).toEqual(['google', 'openai']);
    expect(first(0.999)).toEqual(['google', 'openai']);
  });

  it.each([
    [{ language: ['pl'] }, { language: 'pl' }, { language: null }],
    [{ level: ['HIGH'] }, { level: () => 'HIGH' }, { level: () => 'LOW' }],
    [{ mode: ['direct'] }, { mode: 'direct' }, { mode: 'normal' }],
    [{ length: { min: 10, max: 20 } }, { chars: 20 }, { chars: 21 }],
    [{ complexity: { min: 7 } }, { taskType: 'CODING_COMPLEX' }, { taskType: 'ANALYSIS' }],
    [{ sensitive: true }, { findings: ['iban'], masking: true }, {}],
  ] as const)('tells by %j', (when, yes, no) => {
    const policy = {
      kind: 'conditional',
      cases: [{ when, node: { kind: 'single', target: { where: 'cloud' } } }],
      otherwise: { kind: 'single', target: { where: 'local' } },
    } as const;
    expect(decide({ policy, ...(yes as Partial<RouteFacts>) }).target).toBe('cloud');
    expect(decide({ policy, ...(no as Partial<RouteFacts>) }).target).toBe('local');
  });

  it('cannot leave AI_MODE LOCAL', () => {
    const policy = { kind: 'single', target: { where: 'cloud' } } as const;
    expect(outcome({ aiMode: 'LOCAL', policy })).toEqual(['local', 'phi3', 'default_eco_mode']);
  });
});
