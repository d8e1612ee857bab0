// Tasks and their queue, put together for compose.ts: every `new` of Normal and Complex chat is here.
import type { GoalRepository } from './chat/campaign/goal.js';
import type { CouncilBounds } from './chat/council/council.js';
import type { IntentRecognizer } from './chat/intent.js';
import { Orchestrator } from './chat/orchestrator.js';
import type { EventSink } from './chat/ports.js';
import { ServiceMonitor } from './chat/services/service-monitor.js';
import type { SessionStore } from './chat/sessions/session-store.js';
import type { AnswerTranslator, SlashCommands, StaticAnswers, ToolBox } from './chat/task-ports.js';
import type { TaskRepository } from './chat/tasks/task.js';
import type { TaskCounters } from './chat/tasks/task-counters.js';
import type { RequestTracer } from './chat/tracing/request-tracer.js';
import type { ChatRouter, ContextBuilder, TurnResults } from './chat/turn-ports.js';
import type { Settings } from './config/settings-schema.js';
import type { Metrics } from './http/metrics.js';
import { ActiveIdentity } from './models/active-identity.js';
import type { ModelManager } from './models/model-manager.js';
import { ModelTokens } from './models/model-tokens.js';
import { requireSight } from './models/sight.js';
import { CLOUD_PROVIDERS } from './routing/policy.js';
import { systemClock } from './shared/clock.js';
import { toAppError } from './shared/errors.js';

const UNKNOWN_WINDOW_TOKENS = 2_048;
const MOST_CONTEXT_TOKENS = 16_384;
const SMALL_MODEL_PARAMETERS = 1_000_000_000;
/** Of the longest run of a task: after it nobody begins to speak, and no further goal is begun. */
const WORK_SHARE = 0.75;

export interface ChatTasksParts {
  settings: Settings;
  tasks: TaskRepository;
  sessions: SessionStore;
  goals: GoalRepository;
  tracer: RequestTracer;
  events: EventSink;
  counters: TaskCounters;
  metrics: Metrics;
  models: ModelManager;
  intents: IntentRecognizer;
  slash: SlashCommands;
  answers: (services: ServiceMonitor) => StaticAnswers;
  router: ChatRouter;
  context: ContextBuilder;
  results: TurnResults;
  toolBox: ToolBox;
  translator: AnswerTranslator | null;
  /** Forgets a session and what was made of it. */
  clearSession: (sessionId: string) => Promise<unknown>;
  /** Whether the database answers; throws where it does not. */
  checkStore: () => void;
}

export function chatTasks(parts: ChatTasksParts): { orchestrator: Orchestrator; services: ServiceMonitor } {
  const { settings, models, metrics, counters } = parts;
  const services = new ServiceMonitor(
    [
      {
        name: 'SQLite',
        type: 'database',
        description: 'Sessions, tasks, traces and models',
        critical: true,
        check: async () => {
          parts.checkStore();
          return { state: 'online', error: null };
        },
      },
      ...models.runtimes.map((runtime) => ({
        name: runtime.provider,
        type: 'llm',
        description: runtime.endpoint ?? 'embedded engine',
        critical: false,
        check: async (signal: AbortSignal) => {
          const { state: health, error } = await runtime.health(signal);
          return { state: health === 'ready' ? ('online' as const) : health, error };
        },
      })),
      {
        name: 'Orchestrator',
        type: 'orchestrator',
        description: 'Tasks and their queue',
        critical: true,
        check: async () =>
          orchestrator.queue.paused
            ? { state: 'degraded', error: 'the queue is paused' }
            : { state: 'online', error: null },
      },
    ],
    systemClock,
  );
  const tokens = new ModelTokens(models);
  const identity = new ActiveIdentity(() => models.activeIdentity());
  const orchestrator: Orchestrator = new Orchestrator(
    {
      tasks: parts.tasks,
      sessions: parts.sessions,
      goals: parts.goals,
      council: councilBounds(settings),
      campaign: {
        goals: settings.CAMPAIGN_MAX_GOALS,
        tokens: settings.CAMPAIGN_MAX_TOKENS,
        costUsd: settings.CAMPAIGN_MAX_COST_USD,
        // What is open at the end is told, rather than cut off with the task.
        durationMs: settings.TASK_TIMEOUT_SECONDS * 1_000 * WORK_SHARE,
      },
      tracer: parts.tracer,
      events: parts.events,
      clock: systemClock,
      counters,
      intents: parts.intents,
      slash: parts.slash,
      answers: parts.answers(services),
      router: parts.router,
      context: parts.context,
      results: parts.results,
      toolBox: parts.toolBox,
      translator: parts.translator,
      clearSession: parts.clearSession,
      identity: () => identity.get(),
      active: () => models.activeIdentity(),
      budgetTokens: async (name) => contextBudget((await models.describe(name).catch(() => null))?.contextLength),
      countTokens: (name, text, signal) => tokens.count(name, text, signal),
      functionCalling: (name, provider) =>
        CLOUD_PROVIDERS.some((cloud) => cloud === provider) ||
        models.abilities(name, provider).then(({ tools }) => tools ?? false),
      isSmall: async (name) => {
        const parameters = (await models.describe(name).catch(() => null))?.parameterCount;
        return typeof parameters === 'number' && parameters < SMALL_MODEL_PARAMETERS;
      },
      requireSight: async ({ provider, model }) =>
        requireSight(model, (await models.abilities(model, provider)).vision),
      onAnswer: (target, taken, receipt) => {
        const { provider, model } = receipt.attempts.at(-1) ?? target;
        metrics.answer(provider, taken);
        counters.answer(model, taken, receipt.costUsd);
        models.outcome(model, null);
      },
      onFailure: (target, error) => models.outcome(target.model, toAppError(error).code),
    },
    {
      maxConcurrent: settings.ENABLE_QUEUE_LIMITS ? settings.MAX_CONCURRENT_TASKS : null,
      maxQueued: settings.MAX_QUEUED_TASKS,
      timeoutMs: settings.TASK_TIMEOUT_SECONDS * 1_000,
    },
  );
  return { orchestrator, services };
}

export const councilBounds = (settings: Settings): CouncilBounds => ({
  rounds: settings.COUNCIL_MAX_ROUNDS,
  tokens: settings.COUNCIL_MAX_TOKENS,
  costUsd: settings.COUNCIL_MAX_COST_USD,
  durationMs: 1_000 * Math.min(settings.COUNCIL_MAX_SECONDS, settings.TASK_TIMEOUT_SECONDS * WORK_SHARE),
});

/** What may be sent: the window less room for the answer. */
function contextBudget(contextLength: number | null | undefined): number {
  const window = Math.min(contextLength || UNKNOWN_WINDOW_TOKENS, MOST_CONTEXT_TOKENS);
  return window - Math.max(64, Math.floor(window / 4));
}
