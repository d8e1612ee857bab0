// /routing, /system/cost-mode, /receipts: why an answer came from where it came from, and what it may cost.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { SessionStore } from '../../chat/sessions/session-store.js';
import * as contract from '../../contract/routing.js';
import type { Budgets } from '../../routing/budgets.js';
import type { ModelRouter } from '../../routing/model-router.js';
import type { PolicyStore } from '../../routing/policy-store.js';
import type { LabelReleases } from '../../routing/ports.js';
import { isoUtc } from '../../shared/clock.js';
import { toDecisionDetail, toReceipt } from './receipt-shapes.js';
import { toLabelRelease } from './sessions.js';

export interface RoutingRoutesOptions {
  router: ModelRouter;
  policy: PolicyStore;
  budgets: Budgets;
  sessions: SessionStore;
  labelReleases: LabelReleases;
  aiMode: string;
}

export const routingRoutes: FastifyPluginAsyncZod<RoutingRoutesOptions> = async (
  app,
  { router, policy, budgets, sessions, labelReleases, aiMode },
) => {
  const tags = ['routing'];

  app.post('/routing/explain', { schema: { body: contract.ExplainRequest, tags } }, async ({ body }) => {
    const { decision, steps, level } = await router.explain({
      text: body.text,
      mode: body.mode,
      taskType: body.task_type,
      sessionId: body.session_id || null,
      model: body.model ?? undefined,
      forcedProvider: body.forced_provider ?? undefined,
      language: body.language,
      labels: body.labels,
    });
    return { status: 'success', decision: toDecisionDetail(decision), steps, task_level: level, ai_mode: aiMode };
  });

  const policyAnswer = () => {
    const { version, source, tree, changedAt } = policy.current;
    return {
      status: 'success',
      version,
      source,
      ai_mode: aiMode,
      policy: tree,
      changed_at: changedAt === null ? null : isoUtc(changedAt),
      versions: policy.versions.map((known) => ({
        version: known.version,
        created_at: isoUtc(known.createdAt),
        policy: known.tree,
      })),
    };
  };
  app.get('/routing/policy', { schema: { tags } }, async () => policyAnswer());
  app.put('/routing/policy', { schema: { body: contract.PolicyRequest, tags } }, async ({ body }) => {
    policy.put(body.policy, body.expected_version);
    return policyAnswer();
  });

  const costMode = () => {
    const totals = budgets.totals();
    const { limits } = budgets;
    return {
      enabled: router.paid,
      provider: router.paid ? 'hybrid' : 'local',
      ai_mode: aiMode,
      budget: {
        spent_today_usd: totals.dayUsd,
        spent_month_usd: totals.monthUsd,
        remaining_usd: budgets.remainingUsd(totals),
        soft_per_day_usd: limits.softPerDayUsd,
        hard_per_day_usd: limits.hardPerDayUsd,
        soft_per_month_usd: limits.softPerMonthUsd,
        hard_per_month_usd: limits.hardPerMonthUsd,
        requests_last_minute: totals.requests,
        requests_per_minute: limits.requestsPerMinute,
        tokens_last_minute: totals.tokens,
        tokens_per_minute: limits.tokensPerMinute,
      },
    };
  };
  app.get('/system/cost-mode', { schema: { tags: ['system'] } }, async () => costMode());
  app.post(
    '/system/cost-mode',
    { schema: { body: contract.CostModeRequest, tags: ['system'] } },
    async ({ body: { enable, enabled } }) => {
      const on = (enable ?? enabled) === true;
      router.paid = on;
      return { status: 'success', message: on ? 'Paid answers are allowed.' : 'Answers stay free.', ...costMode() };
    },
  );

  app.get('/receipts', { schema: { querystring: contract.ReceiptsQuery, tags } }, async ({ query }, reply) => {
    if (query.download === 'true')
      reply.header(
        'content-disposition',
        `attachment; filename="venom-receipts-${query.session_id.replace(/[^\w-]/g, '_')}.json"`,
      );
    const found = sessions.receipts(query.session_id, { limit: query.limit + 1, afterSeq: query.after_seq });
    const page = found.slice(0, query.limit);
    return {
      session_id: query.session_id,
      receipts: page.map((answer) => ({
        seq: answer.seq,
        request_id: answer.requestId,
        timestamp: isoUtc(answer.createdAt),
        status: answer.status,
        receipt: toReceipt(answer.receipt),
      })),
      /** Labels that somebody took off this session: from then on its texts could leave. */
      label_releases: labelReleases.releases(query.session_id).map(toLabelRelease),
      count: page.length,
      has_more: found.length > page.length,
    };
  });
};
