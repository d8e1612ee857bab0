// Part of the composition: memory, learning and the work after turns.
import { join } from 'node:path';
import type { Logger } from 'pino';
import { MemoryContextBuilder } from '../chat/context/context-builder.js';
import { Feedback } from '../chat/learning/feedback.js';
import { HiddenPrompts } from '../chat/learning/hidden-prompts.js';
import { Lessons } from '../chat/learning/lessons.js';
import type { FollowUpTasks } from '../chat/learning/ports.js';
import { StoredTurns } from '../chat/learning/stored-turns.js';
import { EmbeddingBacklog } from '../chat/memory/embedding-backlog.js';
import { Knowledge } from '../chat/memory/knowledge.js';
import { Memory } from '../chat/memory/memory.js';
import { placesOf } from '../chat/memory/ports.js';
import { Retention } from '../chat/memory/retention.js';
import { RoutedBackgroundModel } from '../chat/results/background-model.js';
import { ModelTitle } from '../chat/results/model-title.js';
import { ResultProcessor } from '../chat/results/result-processor.js';
import { resultSteps } from '../chat/results/result-steps.js';
import { RunningSummary } from '../chat/results/running-summary.js';
import { SessionClearing } from '../chat/sessions/session-clearing.js';
import type { SessionStore } from '../chat/sessions/session-store.js';
import type { Task } from '../chat/tasks/task.js';
import type { RequestTracer } from '../chat/tracing/request-tracer.js';
import type { ChatTarget, RouteRequest } from '../chat/turn-ports.js';
import type { Settings } from '../config/settings-schema.js';
import { DocumentReader } from '../documents/document-reader.js';
import { EmbeddingModel } from '../models/embedding-model.js';
import type { ModelManager } from '../models/model-manager.js';
import { systemClock } from '../shared/clock.js';
import type { Owner } from '../shared/owner.js';
import { SqliteLearning } from '../storage/sqlite-learning.js';
import { SqliteMemory } from '../storage/sqlite-memory.js';
import { SqliteResults } from '../storage/sqlite-results.js';
import { SqliteSessionContext } from '../storage/sqlite-session-context.js';
import type { SqliteStore } from '../storage/sqlite-store.js';

/** What is cheap is finished before the process ends; the rest goes on after the next start. */
const DRAIN_MS = 2_000;
/** Share of a query's weight that the words of a text must carry to count as found. */
const MIN_COVERAGE = 0.25;
const LOOK_MS = 2_000;

export interface MemoryParts {
  settings: Settings;
  store: SqliteStore;
  sessions: SessionStore;
  tracer: RequestTracer;
  /** What routing found in a session's texts. */
  sessionLabels: (sessionId: string) => readonly string[];
  models: ModelManager;
  /** Where background work asks; `mode` of the request is `background`. */
  route: (request: RouteRequest) => Promise<ChatTarget>;
  /** Whether nobody waits for an answer. */
  idle: () => boolean;
  stopSession: (sessionId: string) => void;
  clearTasks: (sessionId: string) => number | Promise<number>;
  task: (id: string) => Task | undefined;
  followUps: FollowUpTasks;
  distDir: string;
  logger: Logger;
  onLesson: (taskId: string, lessonId: string) => void;
  onStep: (step: string, outcome: 'done' | 'failed' | 'given_up') => void;
  /** A turn came into the learning log. */
  onLogged: () => void;
}

export function composeMemory(parts: MemoryParts) {
  const { settings, store, sessions, tracer, models, idle, logger } = parts;
  const clock = systemClock;
  const repository = new SqliteMemory(store);
  const learning = new SqliteLearning(store);
  const sessionContext = new SqliteSessionContext(store, parts.sessionLabels);
  const queue = new SqliteResults(store);
  if (store.vectorsUnavailable !== null)
    logger.warn({ reason: store.vectorsUnavailable }, 'memory is searched by words only: sqlite-vec cannot be loaded');

  const embedder = new EmbeddingModel({
    list: () => models.list(),
    runtime: (provider) => models.runtime(provider),
    wanted: settings.EMBEDDING_MODEL,
    preferred: settings.INTENT_EMBED_MODEL_NAME,
    now: clock.now,
  });
  const backlog = new EmbeddingBacklog({
    repository,
    embedder,
    idle,
    onFailure: (error) => logger.warn({ err: error }, 'vectors could not be made; they are tried again'),
  });
  const memory = new Memory(
    { repository, embedder, clock, onAdded: () => background && backlog.wake() },
    {
      ttlDays: settings.MEMORY_TTL_DAYS,
      lessonsTtlDays: settings.LESSONS_TTL_DAYS,
      minSimilarity: settings.MEMORY_MIN_SIMILARITY,
      minCoverage: MIN_COVERAGE,
      embedTimeoutMs: settings.MEMORY_EMBED_TIMEOUT_MS,
    },
  );
  const background = !settings.VENOM_PAUSE_BACKGROUND_TASKS;
  const lessons = new Lessons(memory);
  const hiddenPrompts = new HiddenPrompts(learning, clock, { review: settings.HIDDEN_PROMPTS_REVIEW });
  const knowledge = new Knowledge(
    memory,
    new DocumentReader({
      workerPath: join(parts.distDir, 'server', 'document-worker.js'),
      timeoutMs: settings.KNOWLEDGE_TIMEOUT_SECONDS * 1_000,
    }),
  );
  const context = new MemoryContextBuilder(
    { memory, lessons, hiddenPrompts, sessions, sessionContext },
    {
      learning: settings.ENABLE_META_LEARNING,
      retrieval: {
        boost: settings.ENABLE_RAG_RETRIEVAL_BOOST,
        default: { memory: settings.RAG_BOOST_TOP_K_DEFAULT, lessons: settings.RAG_BOOST_LESSONS_LIMIT_DEFAULT },
        research: { memory: settings.RAG_BOOST_TOP_K_RESEARCH, lessons: settings.RAG_BOOST_LESSONS_LIMIT_RESEARCH },
        knowledge: { memory: settings.RAG_BOOST_TOP_K_KNOWLEDGE, lessons: settings.RAG_BOOST_LESSONS_LIMIT_KNOWLEDGE },
        complex: { memory: settings.RAG_BOOST_TOP_K_COMPLEX, lessons: settings.RAG_BOOST_LESSONS_LIMIT_DEFAULT },
      },
    },
  );
  const summary = new RunningSummary({
    sessions,
    sessionContext,
    model: settings.SUMMARY_STRATEGY === 'heuristic_only' ? null : new RoutedBackgroundModel(parts.route),
    clock,
    onModelFailed: (error) =>
      logger.warn({ err: error }, 'the model gave no summary; the first sentences serve as one'),
  });
  const modelTitle = new ModelTitle({
    model: new RoutedBackgroundModel(parts.route),
    loaded: () => loadedModel(models).catch(() => null),
    mayName: (sessionId) => sessions.mayName(sessionId),
    labels: (sessionId) => sessionContext.labels(sessionId),
    save: (sessionId, title) => sessions.nameByModel(sessionId, title),
    onFailed: (error) => logger.debug({ err: error }, 'the model gave no title; the first question serves as one'),
  });
  const results = new ResultProcessor({
    queue,
    clock,
    idle,
    steps: resultSteps({
      memory,
      learning,
      summary,
      modelTitle: settings.SESSION_TITLES === 'auto' ? modelTitle : null,
      sessionLabels: (sessionId) => sessionContext.labels(sessionId),
      suggestTitle: (sessionId, title) => sessions.suggestTitle(sessionId, title),
      learns: settings.ENABLE_META_LEARNING,
      onLogged: parts.onLogged,
    }),
    onDone: (step) => parts.onStep(step, 'done'),
    onFailure: ({ requestId, step, error, final }) => {
      parts.onStep(step, final ? 'given_up' : 'failed');
      logger.warn({ err: error, request_id: requestId, step, final }, 'work after a turn failed');
    },
  });
  const feedback = new Feedback({
    repository: learning,
    lessons,
    turns: new StoredTurns({ sessions, tracer, sessionContext, task: parts.task }),
    followUps: parts.followUps,
    clock,
    learns: settings.ENABLE_META_LEARNING,
    onFollowUpFailed: (error) => logger.warn({ err: error }, 'a follow-up task could not be submitted'),
    onLesson: parts.onLesson,
  });
  const clearing = new SessionClearing({
    sessions,
    memory,
    sessionContext,
    learning,
    results: queue,
    stop: parts.stopSession,
    clearTasks: parts.clearTasks,
  });
  const retention = new Retention({
    clock,
    expireMemory: () => memory.expire(),
    expireSessions: (createdBefore) => clearing.expire(createdBefore),
    sessionTtlDays: settings.SESSION_TTL_DAYS,
    onRemoved: (removed) => logger.info(removed, 'what was past its time is gone'),
    onFailure: (error) => logger.warn({ err: error }, 'what is past its time could not be deleted'),
  });

  return {
    memory,
    /** What a model may look up itself. */
    searchTool: {
      search: async (
        query: string,
        {
          owner,
          sessionId,
          limit,
          signal,
        }: { owner: Owner; sessionId: string | null; limit: number; signal: AbortSignal },
      ) => {
        const places = placesOf(owner, sessionId);
        const { hits } = await memory.search({ text: query, places, limit, signal });
        return hits.map(({ chunk, entry }) => ({ text: chunk.text, source: entry.source, labels: entry.labels }));
      },
    },
    context,
    results,
    clearing,
    sessionContext,
    hiddenPrompts,
    lessons,
    knowledge,
    feedback,
    logs: learning,
    embedder,
    /** False in a pre-production role that keeps its data. */
    mayDelete: !isPreProduction(settings.ENVIRONMENT_ROLE) || settings.ALLOW_DATA_MUTATION,
    start(): void {
      results.start();
      if (!background) return;
      backlog.wake();
      retention.start();
    },
    async close(): Promise<void> {
      await Promise.all([results.close(DRAIN_MS), backlog.close(), retention.close()]);
    },
  };
}

const isPreProduction = (role: string): boolean =>
  ['preprod', 'pre-prod', 'staging', 'stage'].includes(role.trim().toLowerCase());

/** What answers here and is in memory already: no weights are read for work nobody waits for. */
async function loadedModel(models: ModelManager): Promise<{ name: string; parameters: number | null } | null> {
  const { runtime, model } = await models.resolve(undefined);
  if (runtime.loaded) {
    const loaded = await runtime.loaded(AbortSignal.timeout(LOOK_MS));
    if (!loaded.some(({ name }) => name === model)) return null;
  }
  const description = (await runtime.describeModel?.(model, AbortSignal.timeout(LOOK_MS))) ?? null;
  return { name: model, parameters: description?.parameterCount ?? null };
}
