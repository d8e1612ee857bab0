// Routing: the dry run, the policy, paid mode, providers and their keys, receipts.
import { z } from 'zod';
import { TASK_TYPES } from '../routing/decision.js';
import { CLOUD_PROVIDERS, ROUTING_REASONS } from '../routing/policy.js';
import { whole } from './lax-values.js';
import { OptionalSessionId, SessionId } from './simple-chat.js';

const MAX_DEPTH = 10;
const MAX_NODES = 500;

export const TaskTypeName = z.enum(TASK_TYPES);
const ModeName = z.enum(['direct', 'normal', 'complex', 'background']);
const Provider = z.enum(CLOUD_PROVIDERS);
const Reason = z.enum(ROUTING_REASONS);
const Range = z.strictObject({ min: z.number().optional(), max: z.number().optional() });

const Target = z.strictObject({
  where: z.enum(['local', 'cloud']),
  provider: Provider.optional(),
  model: z.string().min(1).max(300).optional(),
  tier: z.enum(['fast', 'high']).optional(),
});

const Condition = z.strictObject({
  task: z.array(TaskTypeName).min(1).max(20).optional(),
  mode: z.array(ModeName).min(1).max(10).optional(),
  complexity: Range.optional(),
  level: z
    .array(z.enum(['LOW', 'MEDIUM', 'HIGH']))
    .min(1)
    .max(3)
    .optional(),
  sensitive: z.boolean().optional(),
  language: z.array(z.string().min(2).max(10)).min(1).max(50).optional(),
  length: Range.optional(),
  cost: Range.optional(),
});

type Node =
  | { kind: 'single'; target: z.output<typeof Target> }
  | { kind: 'fallback'; nodes: Node[] }
  | { kind: 'balance'; choices: { weight: number; node: Node }[] }
  | {
      kind: 'conditional';
      cases: { when: z.output<typeof Condition>; reason?: z.output<typeof Reason> | undefined; node: Node }[];
      otherwise: Node;
      reason?: z.output<typeof Reason> | undefined;
    };

const Node: z.ZodType<Node> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('single'), target: Target }),
    z.strictObject({ kind: z.literal('fallback'), nodes: z.array(Node).min(1).max(20) }),
    z.strictObject({
      kind: z.literal('balance'),
      choices: z
        .array(z.strictObject({ weight: z.number().positive().max(1_000_000), node: Node }))
        .min(1)
        .max(20),
    }),
    z.strictObject({
      kind: z.literal('conditional'),
      cases: z
        .array(z.strictObject({ when: Condition, reason: Reason.optional(), node: Node }))
        .min(1)
        .max(50),
      otherwise: Node,
      reason: Reason.optional(),
    }),
  ]),
);

/** Counted before it is read as a tree, which is done by recursion. */
function isSmall(value: unknown): boolean {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  let seen = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    seen += 1;
    // A node of the tree is two or three levels of JSON, and a handful of values.
    if (next.depth > MAX_DEPTH * 4 || seen > MAX_NODES * 20) return false;
    if (typeof next.value === 'object' && next.value !== null)
      for (const child of Object.values(next.value)) open.push({ value: child, depth: next.depth + 1 });
  }
  return true;
}

export const PolicyTree = z
  .unknown()
  .refine(isSmall, { message: `a tree of at most ${MAX_DEPTH} levels and ${MAX_NODES} nodes`, abort: true })
  .pipe(Node);

export const PolicyRequest = z.object({
  /** Null: back to what AI_MODE says. */
  policy: PolicyTree.nullable(),
  expected_version: z.int().min(0).optional(),
});

export const StoredPolicies = z.array(
  z.object({ version: z.int().min(1), tree: Node.nullable(), createdAt: z.number() }),
);

export const ExplainRequest = z.object({
  text: z.string().max(1_000_000),
  mode: ModeName.default('direct'),
  task_type: TaskTypeName.default('STANDARD'),
  session_id: OptionalSessionId,
  model: z.string().min(1).max(300).nullish(),
  forced_provider: z.string().min(1).max(50).nullish(),
  language: z.string().min(2).max(10).nullish(),
  labels: z.array(z.string().min(1).max(50)).max(50).default([]),
});

/** Clients of the original send `enable`. */
export const CostModeRequest = z
  .object({ enable: z.boolean().optional(), enabled: z.boolean().optional() })
  .refine(({ enable, enabled }) => (enable ?? enabled) !== undefined, { message: 'enable is missing' });

export const ProviderParams = z.object({ provider: Provider });
export const KeyRequest = z.object({
  key: z
    .string()
    .trim()
    .min(8)
    .max(1_000)
    .regex(/^[\x21-\x7e]+$/, 'printable characters without blanks only'),
});

export const ReceiptsQuery = z.object({
  session_id: SessionId,
  limit: whole(z.int().min(1).max(1_000)).prefault(200),
  after_seq: whole(z.int().min(0)).prefault(0),
  /** As a file to save. */
  download: z.enum(['true', 'false']).default('false'),
});
