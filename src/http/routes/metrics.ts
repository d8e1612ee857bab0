// /metrics as JSON, as the original's UI reads it; Prometheus has a path of its own, without a prefix.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { TaskCounters } from '../../chat/tasks/task-counters.js';
import type { OllamaFigures } from '../../runtimes/ollama/ollama-figures.js';
import { isoUtc } from '../../shared/clock.js';
import type { Metrics } from '../metrics.js';

const GUI_THRESHOLD_PERCENT = 20;
const MOST_REASONS = 5;
const MODES = ['api_skill', 'browser_automation', 'gui_fallback'] as const;

export interface MetricsRoutesOptions {
  counters: TaskCounters;
  metrics: Metrics;
  defaultCostModel: string;
  /** How often somebody has set a model's parameters. */
  generationParamUpdates: () => number;
  ollama: OllamaFigures;
}

export const metricsRoutes: FastifyPluginAsyncZod<MetricsRoutesOptions> = async (
  app,
  { counters, metrics, defaultCostModel, generationParamUpdates, ollama },
) => {
  const tags = ['metrics'];

  const system = async () => {
    const selected = await metrics.selected();
    const denied = counters.blocked;
    return {
      status: 'ok',
      uptime_seconds: Math.round(process.uptime()),
      start_time: isoUtc(counters.startedAt),
      tasks: {
        created: counters.created,
        success_rate: counters.successRate,
        completed: counters.completed,
        failed: counters.failed,
        aborted: counters.aborted,
      },
      routing: {
        llm_only: counters.llmOnly,
        tool_required: counters.toolRequired,
        learning_logged: counters.learningLogged,
      },
      feedback: { up: counters.feedback.up, down: counters.feedback.down },
      policy: {
        blocked_count: denied,
        block_rate: percent(denied, counters.created),
        deny_rate: percent(denied, counters.created),
        top_reason_codes: top(counters.blockReasons, denied),
        false_positive_triage: {
          candidate_count: counters.mistaken,
          candidate_rate: percent(counters.mistaken, denied),
          top_candidate_reasons: top(counters.mistakenReasons, counters.mistaken),
        },
      },
      network: { total_bytes: metrics.networkBytes },
      models: { generation_params_updates: generationParamUpdates() },
      llm: {
        first_token_samples: counters.firstTokenSamples,
        first_token_avg_ms:
          counters.firstTokenSamples === 0 ? null : round(counters.firstTokenSumMs / counters.firstTokenSamples),
        // As Ollama itself says it; an answer of its OpenAI-style wire, which is passed on, does not say it.
        ollama_runtime: {
          samples: ollama.samples,
          load_duration_avg_ms: ollama.loadMs,
          prompt_eval_count_total: ollama.promptTokens,
          eval_count_total: ollama.tokens,
          prompt_eval_duration_avg_ms: ollama.promptMs,
          eval_duration_avg_ms: ollama.answerMs,
        },
      },
      runtime_switch: {
        model_selected_total: selected.total,
        model_mismatch_detected_total: counters.modelMismatches,
        by_source: selected.bySource,
        by_runtime: selected.byRuntime,
      },
      tokens_used_session: counters.totalTokens,
      tool_usage: Object.fromEntries(counters.toolUsage),
      agent_usage: Object.fromEntries(counters.agentUsage),
    };
  };

  app.get('/metrics', { schema: { tags } }, system);
  app.get('/metrics/system', { schema: { tags } }, system);

  app.get('/metrics/tokens', { schema: { tags } }, async () => {
    const models = [...counters.tokensByModel];
    const total = counters.totalTokens;
    const cost = models.reduce((sum, [, { costUsd }]) => sum + costUsd, 0);
    return {
      total_tokens: total,
      session_total_tokens: total,
      session_cost_usd: cost,
      models_breakdown:
        models.length === 0
          ? { estimated: { model: defaultCostModel, tokens: total, cost_usd: cost } }
          : Object.fromEntries(
              models.map(([model, { input, output, costUsd }]) => [
                model,
                { input_tokens: input, output_tokens: output, total_tokens: input + output, cost_usd: costUsd },
              ]),
            ),
      note: 'Counted since the server started.',
    };
  });

  app.get('/metrics/execution-mode', { schema: { tags } }, async () => {
    const counts = Object.fromEntries(MODES.map((mode) => [mode, counters.executionModes.get(mode) ?? 0]));
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const gui = percent(counts['gui_fallback'] ?? 0, total);
    const active = gui > GUI_THRESHOLD_PERCENT;
    return {
      status: 'ok',
      kpi: {
        total,
        counts,
        share_rate: Object.fromEntries(MODES.map((mode) => [mode, percent(counts[mode] ?? 0, total)])),
        success_rate: counters.successRate,
        manual_intervention_rate: percent(counters.aborted, counters.created),
        retry_loop_rate: percent(counters.repeated, counters.created),
      },
      alerts: {
        gui_fallback_overuse: {
          active,
          threshold: GUI_THRESHOLD_PERCENT,
          current: gui,
          severity: active ? 'high' : 'none',
        },
      },
    };
  });
};

const top = (counts: ReadonlyMap<string, number>, total: number) =>
  [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, MOST_REASONS)
    .map(([reason_code, count]) => ({ reason_code, count, share_rate: percent(count, total) }));

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : round((part / whole) * 100));
const round = (value: number): number => Math.round(value * 100) / 100;
