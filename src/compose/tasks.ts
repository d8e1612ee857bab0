// Part of the composition: Normal and Complex chat, their queue, and the state of the services.
import type { Logger } from 'pino';
import type { CouncilBounds } from '../chat/council/council.js';
import { IntentClassifier } from '../chat/intents/intent-classifier.js';
import { Orchestrator } from '../chat/orchestrator.js';
import { ServiceMonitor } from '../chat/services/service-monitor.js';
import { slashCommands } from '../chat/slash-commands.js';
import { TemplateAnswers } from '../chat/static-answers.js';
import type { Settings } from '../config/settings-schema.js';
import { ActiveIdentity } from '../models/active-identity.js';
import type { ModelManager } from '../models/model-manager.js';
import { ModelTokens } from '../models/model-tokens.js';
import { requireSight } from '../models/sight.js';
import { CLOUD_PROVIDERS } from '../routing/policy.js';
import { systemClock } from '../shared/clock.js';
import { toAppError } from '../shared/errors.js';
import type { ChatRoom } from './chat.js';
import type { ObservationRoom } from './observation.js';
import type { CloudExit, RoutingRoom } from './routing.js';
import type { SkillsRoom } from './skills.js';
import type { StorageRoom } from './storage.js';

const UNKNOWN_WINDOW_TOKENS = 2_048;
const MOST_CONTEXT_TOKENS = 16_384;
const SMALL_MODEL_PARAMETERS = 1_000_000_000;
/** Of the longest run of a task: after it nobody begins to speak, and no further goal is begun. */
const WORK_SHARE = 0.75;
/** Nobody's session, and nobody's key. */
const HOUSE = { owner: null, sessionId: null };
const CLOUD_NAMES = ['openai', 'google'] as const;

export interface TasksParts {
  storage: StorageRoom;
  observation: ObservationRoom;
  exit: CloudExit;
  models: ModelManager;
  routing: RoutingRoom;
  chat: ChatRoom;
  skills: SkillsRoom;
  logger: Logger;
}

export interface TasksRoom {
  orchestrator: Orchestrator;
  services: ServiceMonitor;
}

export function composeTasks(settings: Settings, parts: TasksParts): TasksRoom {
  const { storage, models, routing, chat, skills } = parts;
  const { hub, tracer, metrics, counters } = parts.observation;
  const { memory, translator } = chat;
  const services = new ServiceMonitor(
    [
      {
        name: 'SQLite',
        type: 'database',
        description: 'Sessions, tasks, traces and models',
        critical: true,
        check: async () => {
          storage.store.describe();
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
      tasks: storage.tasks,
      sessions: chat.sessions,
      goals: storage.goals,
      council: councilBounds(settings),
      campaign: {
        goals: settings.CAMPAIGN_MAX_GOALS,
        tokens: settings.CAMPAIGN_MAX_TOKENS,
        costUsd: settings.CAMPAIGN_MAX_COST_USD,
        // What is open at the end is told, rather than cut off with the task.
        durationMs: settings.TASK_TIMEOUT_SECONDS * 1_000 * WORK_SHARE,
      },
      tracer,
      events: hub,
      clock: systemClock,
      counters,
      intents: intents(settings, parts),
      slash: slashCommands,
      answers: staticAnswers(settings, parts, services),
      router: routing.router,
      context: memory.context,
      results: memory.results,
      toolBox: skills.manager.toolBox,
      translator: { translate: (text, language, signal) => translator.translateAnswer(text, language, signal) },
      clearSession: (sessionId) => memory.clearing.clear(sessionId),
      identity: () => identity.get(),
      active: () => models.activeIdentity(),
      budgetTokens: async (name) => contextBudget(await models.contextWindow(name).catch(() => null)),
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

const intents = (settings: Settings, { models, chat, logger }: TasksParts) =>
  new IntentClassifier({
    learned: chat.learned,
    ...(settings.ENABLE_INTENT_EMBEDDING_ROUTER
      ? {
          embedding: {
            embed: (texts, signal) => chat.memory.embedder.embed(texts, signal),
            minScore: settings.INTENT_EMBED_MIN_SCORE,
            margin: settings.INTENT_EMBED_MARGIN,
            timeoutMs: settings.MEMORY_EMBED_TIMEOUT_MS,
          },
        }
      : {}),
    model: {
      // What is asked is a person's own words: never a cloud's affair.
      ask: async () => {
        const { runtime, model } = await models.resolve(undefined);
        return runtime.languageModel(model);
      },
      timeoutMs: settings.INTENT_CLASSIFIER_TIMEOUT_SECONDS * 1_000,
    },
    onFailure: (stage, error) => logger.debug({ err: error, stage }, 'a text was classified without this stage'),
  });

function staticAnswers(settings: Settings, { models, skills, exit }: TasksParts, services: ServiceMonitor) {
  const { toolBox } = skills.manager;
  return new TemplateAnswers({
    services,
    clock: systemClock,
    // Who needs a tool is there with it.
    agents: [
      ...(['chat', 'coder', 'critic', 'architect', 'librarian'] as const),
      ...(toolBox.has('git__get_status', HOUSE) ? (['git', 'release'] as const) : []),
      ...(toolBox.has('shell__run_shell', HOUSE) ? (['tester'] as const) : []),
      ...(toolBox.has('web__search', HOUSE) ? (['researcher'] as const) : []),
      ...(['publisher', 'executive', 'toolmaker'] as const),
    ],
    modes: [
      ...(['direct', 'normal', 'complex'] as const),
      ...(settings.COUNCIL_MAX_ROUNDS > 0 ? (['council'] as const) : []),
      'campaign',
    ],
    activeModel: () => models.chosenModel,
    cloud: () => CLOUD_NAMES.filter((name) => exit.gate.hasKey(name)),
  });
}

export const councilBounds = (settings: Settings): CouncilBounds => ({
  rounds: settings.COUNCIL_MAX_ROUNDS,
  tokens: settings.COUNCIL_MAX_TOKENS,
  costUsd: settings.COUNCIL_MAX_COST_USD,
  durationMs: 1_000 * Math.min(settings.COUNCIL_MAX_SECONDS, settings.TASK_TIMEOUT_SECONDS * WORK_SHARE),
});

/** What may be sent: the window less room for the answer. */
function contextBudget(windowTokens: number | null): number {
  const window = Math.min(windowTokens || UNKNOWN_WINDOW_TOKENS, MOST_CONTEXT_TOKENS);
  return window - Math.max(64, Math.floor(window / 4));
}
