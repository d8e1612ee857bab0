// venom route explain|policy, venom cost, venom receipts: who answers, what it may cost, and what became of it.
import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';
import { facts, table } from '../terminal.js';

const RECEIPTS_PAGE = 500;

interface Explanation {
  decision: {
    target: string;
    provider: string;
    model: string;
    reason_code: string;
    reason: string;
    complexity: number;
    sensitive: boolean;
    findings: unknown[];
    chain: { provider: string; model: string }[];
    estimated_cost_usd: number;
    policy_gate_passed: boolean;
  };
  task_level: string;
  ai_mode: string;
}

interface PolicyState {
  version: number;
  source: string;
  ai_mode: string;
  policy: unknown;
  changed_at: string | null;
}

interface CostMode {
  enabled: boolean;
  ai_mode: string;
  budget: Record<string, number | null>;
}

interface Receipts {
  receipts: {
    seq: number;
    request_id: string;
    timestamp: string;
    status: string;
    receipt: {
      decision: { reason_code: string } | null;
      attempts: { provider: string; model: string; location: string; bytes_sent: number; outcome: string }[];
      cost_usd: number | null;
    } | null;
  }[];
  label_releases?: { labels: string[]; reason: string; released_at: string }[];
  has_more: boolean;
}

export interface ExplainOptions {
  mode?: string;
  taskType?: string;
  session?: string;
  model?: string;
}

/** Asks no model and sends nothing anywhere. */
export async function explainRoute(
  context: CommandContext,
  words: readonly string[],
  { mode, taskType, session, model }: ExplainOptions,
): Promise<void> {
  const text = await context.input.question(words);
  const client = await context.server();
  const explanation = await client.post<Explanation>('/api/v1/routing/explain', {
    text,
    ...(mode === undefined ? {} : { mode }),
    ...(taskType === undefined ? {} : { task_type: taskType }),
    ...(session === undefined ? {} : { session_id: session }),
    ...(model === undefined ? {} : { model }),
  });
  const { decision } = explanation;
  context.terminal.result(
    explanation,
    facts([
      ['answers', decision.provider && `${decision.provider}:${decision.model} (${decision.target})`],
      ['reason', `${decision.reason_code}: ${decision.reason}`],
      ['allowed', decision.policy_gate_passed ? 'yes' : 'no'],
      ['complexity', `${decision.complexity} (${explanation.task_level})`],
      ['sensitive', decision.sensitive ? 'yes' : 'no'],
      ['cost', `${decision.estimated_cost_usd} USD`],
      ['order', decision.chain.map(({ provider, model: name }) => `${provider}:${name}`).join(' → ')],
      ['AI_MODE', explanation.ai_mode],
    ]),
  );
}

export async function showPolicy(context: CommandContext): Promise<void> {
  showPolicyState(context, await (await context.server()).get<PolicyState>('/api/v1/routing/policy'));
}

/** `path` holds a tree as JSON or YAML, or what `route policy show --json` printed; `-` is a pipe. */
export async function setPolicy(context: CommandContext, path: string): Promise<void> {
  let tree: unknown;
  try {
    tree = parseYaml(path === '-' ? await context.input.text() : await readFile(path, 'utf8'), { maxAliasCount: 0 });
  } catch (cause) {
    throw new AppError('invalid_input', `${path} holds no policy: ${(cause as Error).message}`, { cause });
  }
  if (typeof tree === 'object' && tree !== null && 'policy' in tree) tree = tree.policy;
  if (typeof tree !== 'object' || tree === null) throw new AppError('invalid_input', `${path} holds no policy.`);
  await putPolicy(context, tree);
}

export const resetPolicy = (context: CommandContext): Promise<void> => putPolicy(context, null);

async function putPolicy(context: CommandContext, policy: unknown): Promise<void> {
  showPolicyState(context, await (await context.server()).put<PolicyState>('/api/v1/routing/policy', { policy }));
}

function showPolicyState({ terminal }: CommandContext, state: PolicyState): void {
  const about = facts([
    ['version', state.version],
    ['source', state.source],
    ['AI_MODE', state.ai_mode],
    ['changed', state.changed_at],
  ]);
  terminal.result(state, `${about}\n\n${JSON.stringify(state.policy, null, 2)}`);
}

export async function costMode(context: CommandContext, change: 'on' | 'off' | undefined): Promise<void> {
  const client = await context.server();
  const path = '/api/v1/system/cost-mode';
  const mode =
    change === undefined
      ? await client.get<CostMode>(path)
      : await client.post<CostMode>(path, { enable: change === 'on' });
  context.terminal.result(
    mode,
    facts([
      ['paid answers', mode.enabled ? 'allowed' : 'not allowed'],
      ['AI_MODE', mode.ai_mode],
      ...Object.entries(mode.budget).map(([name, value]) => [name.replaceAll('_', ' '), value] as const),
    ]),
  );
}

export async function showReceipts(context: CommandContext, session: string): Promise<void> {
  const client = await context.server();
  const receipts: Receipts['receipts'] = [];
  let releases: NonNullable<Receipts['label_releases']> = [];
  for (let more = true; more; ) {
    const query = new URLSearchParams({
      session_id: session,
      limit: String(RECEIPTS_PAGE),
      after_seq: String(receipts.at(-1)?.seq ?? 0),
    });
    const page = await client.get<Receipts>(`/api/v1/receipts?${query}`);
    receipts.push(...page.receipts);
    releases = page.label_releases ?? [];
    more = page.has_more && page.receipts.length > 0;
  }
  const rows = receipts.map(({ timestamp, status, receipt }) => [
    timestamp,
    status,
    asked(receipt?.attempts ?? []),
    String(
      receipt?.attempts.reduce((sum, { location, bytes_sent }) => sum + (location === 'cloud' ? bytes_sent : 0), 0),
    ),
    receipt?.cost_usd === null || receipt === null ? '' : `${receipt.cost_usd} USD`,
    receipt?.decision?.reason_code ?? '',
  ]);
  const taken = releases.map(
    ({ released_at, labels, reason }) => `${released_at}  labels taken off: ${labels.join(', ')} (${reason})`,
  );
  context.terminal.result(
    { session_id: session, receipts, label_releases: releases, count: receipts.length },
    [
      rows.length === 0
        ? 'No answer of this session has a receipt.'
        : table(['AT', 'STATUS', 'ASKED', 'BYTES TO CLOUDS', 'COST', 'REASON'], rows),
      ...taken,
    ].join('\n'),
  );
}

/** In order; the steps of a plan ask the same engine many times. */
function asked(attempts: NonNullable<Receipts['receipts'][number]['receipt']>['attempts']): string {
  const runs: { what: string; times: number }[] = [];
  for (const { provider, model, outcome } of attempts) {
    const what = `${provider}:${model} ${outcome}`;
    const last = runs.at(-1);
    if (last?.what === what) last.times += 1;
    else runs.push({ what, times: 1 });
  }
  return runs.map(({ what, times }) => (times === 1 ? what : `${what} ×${times}`)).join(' → ');
}
