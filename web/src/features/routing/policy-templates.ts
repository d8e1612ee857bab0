// Policies most people want, to begin with.
import type { z } from 'zod';
import type { PolicyTree } from '../../../../src/contract/routing';

type Policy = z.output<typeof PolicyTree>;

const LOCAL: Policy = { kind: 'single', target: { where: 'local' } };
const FAST: Policy = { kind: 'single', target: { where: 'cloud', tier: 'fast' } };
const HIGH: Policy = { kind: 'single', target: { where: 'cloud', tier: 'high' } };

export const POLICY_TEMPLATES: readonly { id: 'local' | 'localThenCloud' | 'cheapFirst'; policy: Policy }[] = [
  { id: 'local', policy: LOCAL },
  { id: 'localThenCloud', policy: { kind: 'fallback', nodes: [LOCAL, FAST] } },
  {
    id: 'cheapFirst',
    policy: {
      kind: 'conditional',
      cases: [
        { when: { complexity: { max: 3 } }, reason: 'task_complexity_low', node: LOCAL },
        {
          when: { complexity: { max: 6 } },
          reason: 'task_complexity_low',
          node: { kind: 'fallback', nodes: [FAST, LOCAL] },
        },
      ],
      otherwise: { kind: 'fallback', nodes: [HIGH, LOCAL] },
      reason: 'task_complexity_high',
    },
  },
];
