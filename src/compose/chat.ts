// Part of the composition: sessions, Direct mode, translation and memory; whatever a turn needs beside skills and tasks.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { LearnedPhrases } from '../chat/intents/learned-phrases.js';
import type { Orchestrator } from '../chat/orchestrator.js';
import { SessionCopies } from '../chat/sessions/session-copies.js';
import { SessionStore } from '../chat/sessions/session-store.js';
import { SimpleMode } from '../chat/simple-mode.js';
import { OrchestratedFollowUps } from '../chat/tasks/follow-up-tasks.js';
import { storedEnds } from '../chat/tracing/stored-ends.js';
import { textLanguage } from '../chat/translation/text-language.js';
import { Translator } from '../chat/translation/translator.js';
import type { LiveTurns } from '../chat/turns/live-turns.js';
import type { Settings } from '../config/config.js';
import type { ModelManager } from '../models/model-manager.js';
import { SessionLabelsDesk } from '../routing/label-release.js';
import { sessionLabelling } from '../routing/session-labelling.js';
import { systemClock } from '../shared/clock.js';
import { SqliteLearnedPhrases } from '../storage/sqlite-learned-phrases.js';
import { SqliteSessions } from '../storage/sqlite-sessions.js';
import { composeMemory } from './memory.js';
import type { ObservationRoom } from './observation.js';
import type { CloudExit, RoutingRoom } from './routing.js';
import type { StorageRoom } from './storage.js';

const DAY_MS = 86_400_000;
const HISTORY_CHARS = 8_000;
const MOST_ENTRIES = 100_000;

export interface ChatParts {
  storage: StorageRoom;
  observation: ObservationRoom;
  exit: CloudExit;
  models: ModelManager;
  routing: RoutingRoom;
  turns: LiveTurns;
  orchestrator: () => Orchestrator;
  /** Whether a person waits for an answer. */
  somebodyWaits: () => boolean;
  bootId: string;
  distDir: string;
  logger: Logger;
}

export type ChatRoom = ReturnType<typeof composeChat>;

export function composeChat(settings: Settings, parts: ChatParts) {
  const { exit, models, turns, orchestrator, bootId, logger } = parts;
  const { store, labels, tasks } = parts.storage;
  const { hub, tracer, counters, metrics, count } = parts.observation;
  const { router } = parts.routing;
  const sessions = new SessionStore(
    new SqliteSessions(store, bootId, settings.SESSION_MAX_ENTRIES),
    systemClock,
    hub,
    bootId,
    sessionLabelling(exit.sensitivity, labels),
  );
  closeFormerRun(settings, parts, sessions);
  const simple = new SimpleMode(
    {
      sessions,
      tracer,
      turns,
      clock: systemClock,
      router,
      onUsage: count,
      onOutcome: (target, failure) => models.outcome(target.model, failure),
      onFirstTurn: (turn) => memory.results.enqueue(turn),
    },
    {
      systemPrompt: settings.SIMPLE_MODE_SYSTEM_PROMPT,
      rejoinGraceMs: settings.STREAM_REJOIN_GRACE_SECONDS * 1_000,
      historyChars: HISTORY_CHARS,
    },
  );
  const translator = new Translator(
    {
      target: (text) => router.route({ text, mode: 'background', taskType: 'CHAT', sessionId: null, labels: [] }),
      detectLanguage: textLanguage,
      now: Date.now,
      onUsage: count,
    },
    { timeoutMs: settings.OPENAI_API_TIMEOUT * 1_000, trustedLanguages: settings.TRANSLATION_LANGUAGES },
  );
  const memory = composeMemory({
    settings,
    store,
    sessions,
    tracer,
    sessionLabels: (sessionId) => labels.of(sessionId),
    models,
    route: (request) => router.route(request),
    idle: () => !parts.somebodyWaits(),
    stopSession: (sessionId) => {
      simple.cancelSession(sessionId);
      orchestrator().stopSession(sessionId);
    },
    clearTasks: (sessionId) => orchestrator().countOfSession(sessionId),
    task: (id) => tasks.get(id),
    followUps: new OrchestratedFollowUps(orchestrator),
    distDir: parts.distDir,
    logger,
    onLesson: (taskId, lessonId) =>
      hub.publish('LESSON_LEARNED', 'A remark became a lesson.', {
        task_id: taskId,
        lesson_id: lessonId,
        // What was judged had not gone well.
        success: false,
      }),
    onStep: (step, outcome) => metrics.resultStep(step, outcome),
    onLogged: () => {
      counters.learningLogged += 1;
    },
  });
  const sessionLabels = new SessionLabelsDesk({
    labels: (sessionId) => memory.sessionContext.labels(sessionId),
    releases: labels,
    texts: (sessionId) => {
      sessions.summary(sessionId);
      return sessions
        .messages(sessionId, { limit: settings.SESSION_MAX_ENTRIES || MOST_ENTRIES })
        .map(({ seq, content, role }) => ({ seq, content, said: role === 'user' }));
    },
    sensitivity: exit.sensitivity,
    now: systemClock.now,
    onRelease: (sessionId, release) => {
      counters.released(sessionId);
      logger.info({ session_id: sessionId, ...release }, 'labels were taken off a session');
      hub.publish('SESSION_LABELS_RELEASED', 'Labels were taken off a session.', {
        session_id: sessionId,
        labels: [...release.labels],
        reason: release.reason,
      });
    },
  });
  const learned = new LearnedPhrases({
    repository: new SqliteLearnedPhrases(store),
    now: Date.now,
    newId: randomUUID,
    recording: settings.ENABLE_META_LEARNING,
    onFailure: (error) => logger.warn({ err: error }, 'a learned phrase was not recorded'),
  });
  const sessionCopies = new SessionCopies(sessions, {
    of: (sessionId) => memory.sessionContext.labels(sessionId),
    add: (sessionId, found) => labels.add(sessionId, found),
  });
  return { sessions, simple, translator, memory, sessionLabels, sessionCopies, learned };
}

/** Traces of requests that the former run left open end as their answers did. */
function closeFormerRun(settings: Settings, { storage, observation, logger }: ChatParts, sessions: SessionStore): void {
  const { tracer } = observation;
  const tracesFrom = settings.TRACE_RETENTION_DAYS === 0 ? 0 : Date.now() - settings.TRACE_RETENTION_DAYS * DAY_MS;
  for (const end of storedEnds(sessions, storage.tasks, tracesFrom)) tracer.tellEnd(end);
  tracer.closeAbandoned(new Set(storage.tasks.unfinished().map(({ id }) => id)));
  if (sessions.recovered > 0)
    logger.info({ answers: sessions.recovered }, 'answers of the former run were marked interrupted');
}
