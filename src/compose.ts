// The one place where adapters meet the domain. Plain `new`, top to bottom; `close` undoes it in reverse.
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { StarterModel } from './catalogs/starter/starter-model.js';
import { SessionStore } from './chat/sessions/session-store.js';
import { SimpleMode } from './chat/simple-mode.js';
import { StateManager } from './chat/state/state-manager.js';
import { RequestTracer } from './chat/tracing/request-tracer.js';
import { LiveTurns } from './chat/turns/live-turns.js';
import type { LoadedSettings } from './config/config.js';
import { EventHub } from './http/event-hub.js';
import { Metrics } from './http/metrics.js';
import { toStarter } from './http/routes/models.js';
import { createServer } from './http/server.js';
import { MachineUsage } from './machine/usage-meter.js';
import { ModelManager } from './models/model-manager.js';
import type { StarterSnapshot } from './models/starter.js';
import { LlamaCppRuntime } from './runtimes/llama-cpp/llama-cpp-runtime.js';
import { OpenAiCompatibleRuntime } from './runtimes/openai-compatible/openai-compatible-runtime.js';
import type { Runtime } from './runtimes/runtime.js';
import { systemClock } from './shared/clock.js';
import { SqliteSessions } from './storage/sqlite-sessions.js';
import { SqliteState } from './storage/sqlite-state.js';
import { SqliteStore } from './storage/sqlite-store.js';
import { SqliteTraces } from './storage/sqlite-traces.js';

const FINISH_TURNS_MS = 8_000;
const BACKUP_EVERY_MS = 86_400_000;
const HISTORY_CHARS = 8_000;

export interface Composed {
  http: FastifyInstance;
  /** Stops taking requests, finishes turns, flushes writes, unloads models. Safe to call twice. */
  close(): Promise<void>;
  /** Fetches the starter model where nothing can chat yet, and loads the active one. Never throws. */
  prepare(): Promise<void>;
  logger: Logger;
}

export interface ComposeOptions {
  /** Folder that holds `server/worker.js` and `web/`. */
  distDir: string;
  /** Replaces the engines; for tests. */
  runtimes?: Runtime[];
  logger?: Logger;
}

/** @throws AppError `store_locked`, `store_newer`, `store_corrupt`, `store_unavailable` */
export async function compose({ settings, inEffect }: LoadedSettings, options: ComposeOptions): Promise<Composed> {
  const dataDir = settings.VENOM_DATA_DIR;
  const modelsDir = join(dataDir, 'models');
  mkdirSync(modelsDir, { recursive: true, mode: 0o700 });
  const logger = options.logger ?? createLogger(settings.VENOM_LOG_LEVEL);
  const bootId = settings.VENOM_BOOT_ID || randomUUID().replaceAll('-', '');

  const store = new SqliteStore(join(dataDir, 'venom.db'));
  const hub = new EventHub();
  const state = new StateManager(new SqliteState(store));
  const tracer = new RequestTracer(new SqliteTraces(store), systemClock, {
    lostAfterMs: settings.REQUEST_LOST_AFTER_SECONDS * 1_000,
    retentionDays: settings.TRACE_RETENTION_DAYS,
  });
  const sessions = new SessionStore(
    new SqliteSessions(store, bootId, settings.SESSION_MAX_ENTRIES),
    systemClock,
    hub,
    bootId,
  );
  tracer.closeAbandoned();
  if (sessions.recovered > 0)
    logger.info({ answers: sessions.recovered }, 'answers of the former run were marked interrupted');

  const runtimes = options.runtimes ?? [
    new LlamaCppRuntime({
      modelsDir,
      workerPath: join(options.distDir, 'server', 'worker.js'),
      keepAlive: settings.LLM_KEEP_ALIVE,
      contextLength: settings.LLAMA_CONTEXT_LENGTH || undefined,
      threads: settings.LLAMA_THREADS || undefined,
      measurements: {
        get: async (key) => state.get(`measured:${key}`) ?? null,
        set: async (key, value) => state.set(`measured:${key}`, value),
      },
      logger,
    }),
    ...openAiServers(settings),
  ];
  const models = new ModelManager(runtimes, state, settings.LLM_MODEL_NAME);
  const metrics = new Metrics(() => turns.size);
  const turns = new LiveTurns(settings.MAX_CONCURRENT_STREAMS);
  const simple = new SimpleMode(
    {
      sessions,
      tracer,
      turns,
      clock: systemClock,
      target: (name) => models.chatTarget(name),
      onUsage: (usage, target) => metrics.answer(target.provider, usage),
    },
    {
      systemPrompt: settings.SIMPLE_MODE_SYSTEM_PROMPT,
      rejoinGraceMs: settings.STREAM_REJOIN_GRACE_SECONDS * 1_000,
      historyChars: HISTORY_CHARS,
    },
  );
  const starter = new StarterModel({
    modelsDir,
    setting: settings.VENOM_STARTER_MODEL,
    huggingFaceBaseUrl: settings.HF_ENDPOINT,
    huggingFaceToken: settings.HF_TOKEN || undefined,
    onChange: (snapshot: StarterSnapshot) =>
      hub.publish('MODEL_OPERATION', `Starter model: ${snapshot.state}`, toStarter(snapshot)),
  });
  const usage = new MachineUsage(modelsDir);

  const http = await createServer({
    logger,
    guard: {
      apiKey: settings.VENOM_API_KEY,
      allowedHosts: settings.VENOM_ALLOWED_HOSTS,
      allowedOrigins: settings.VENOM_ALLOWED_ORIGINS,
      host: settings.HOST,
    },
    rateLimit: {
      burst: settings.RATE_LIMIT_BURST,
      perSecond: settings.RATE_LIMIT_PER_SECOND,
      loopback: settings.RATE_LIMIT_LOOPBACK,
    },
    bodyLimitBytes: settings.BODY_LIMIT_BYTES,
    webDir: join(options.distDir, 'web'),
    hub,
    metrics,
    simple,
    keepAlive: settings.LLM_KEEP_ALIVE,
    sessions,
    sessionTtlDays: settings.SESSION_TTL_DAYS,
    tracer,
    models: {
      models,
      usage,
      starter,
      configuredModels: {
        local: settings.LLM_MODEL_NAME,
        hybrid_local: settings.HYBRID_LOCAL_MODEL,
        cloud: settings.HYBRID_CLOUD_MODEL,
      },
    },
    system: {
      bootId,
      version: manifest.version,
      dataDir,
      models,
      usage,
      settings: inEffect,
      describeStore: () => store.describe(),
    },
    openAi: { models, tracer, limit: settings.MAX_CONCURRENT_STREAMS },
  });

  const backUp = setTimeout(() => {
    if (Date.now() - (store.newestBackupAt() ?? 0) < BACKUP_EVERY_MS) return;
    store.backUp(new Date()).catch((error) => logger.warn({ err: error }, 'the daily backup failed'));
  }, 60_000);
  backUp.unref();

  const prepare = async () => {
    try {
      if (starter.state.state === 'absent' && (await models.activeModel()) === null) await starter.install();
      if (!settings.LLM_WARMUP_ON_STARTUP) return;
      await models.warmUp({
        prompt: settings.LLM_WARMUP_PROMPT,
        maxTokens: settings.LLM_WARMUP_MAX_TOKENS,
        timeoutMs: settings.LLM_WARMUP_TIMEOUT_SECONDS * 1_000,
      });
    } catch (error) {
      logger.warn({ err: error }, 'the model could not be prepared; the first question tries again');
    }
  };

  let closing: Promise<void> | undefined;
  const close = async () => {
    clearTimeout(backUp);
    await turns.close(FINISH_TURNS_MS);
    hub.close();
    await http.close();
    await models.unloadAll();
    await models.close();
    sessions.flush();
    tracer.close();
    state.flush();
    store.close();
  };
  return {
    http,
    logger,
    prepare,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function openAiServers(settings: LoadedSettings['settings']): Runtime[] {
  const common = {
    apiKey: settings.LLM_LOCAL_API_KEY,
    connectTimeoutMs: settings.UPSTREAM_CONNECT_TIMEOUT_SECONDS * 1_000,
    idleTimeoutMs: settings.UPSTREAM_IDLE_TIMEOUT_SECONDS * 1_000,
  };
  const servers: Runtime[] = [];
  if (settings.LLM_LOCAL_ENDPOINT) {
    const url = new URL(settings.LLM_LOCAL_ENDPOINT);
    const provider = url.port === '11434' || url.hostname.includes('ollama') ? 'ollama' : 'openai-compatible';
    servers.push(new OpenAiCompatibleRuntime({ ...common, provider, endpoint: settings.LLM_LOCAL_ENDPOINT }));
  }
  if (settings.VLLM_ENDPOINT)
    servers.push(new OpenAiCompatibleRuntime({ ...common, provider: 'vllm', endpoint: settings.VLLM_ENDPOINT }));
  return servers;
}

export function createLogger(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        '*.authorization',
        '*.headers.authorization',
        'headers.cookie',
        '*.apiKey',
        '*.token',
        'err.config',
        'err.details.headers',
      ],
      censor: '***',
    },
  });
}
