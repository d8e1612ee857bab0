// The one place where adapters meet the domain. Plain `new`, top to bottom; `close` undoes it in reverse.
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { CloudCatalogs } from './catalogs/cloud/cloud-catalogs.js';
import { fetchByEnvironment } from './catalogs/download/ranged-download.js';
import { remoteBytes } from './catalogs/download/remote-bytes.js';
import { defaultForeignFolders, ForeignModels } from './catalogs/local-folders/foreign-models.js';
import { LocalModels } from './catalogs/local-folders/local-models.js';
import { StarterModel } from './catalogs/starter/starter-model.js';
import { LearnedPhrases } from './chat/intents/learned-phrases.js';
import { ActiveModelRouter } from './chat/interim/active-model-router.js';
import { PlainAnswers } from './chat/interim/plain-answers.js';
import { SlashTable } from './chat/interim/slash-table.js';
import { WordIntents } from './chat/interim/word-intents.js';
import { SessionStore } from './chat/sessions/session-store.js';
import { SimpleMode } from './chat/simple-mode.js';
import { StateManager } from './chat/state/state-manager.js';
import { OrchestratedFollowUps } from './chat/tasks/follow-up-tasks.js';
import { TaskCounters } from './chat/tasks/task-counters.js';
import { RequestTracer } from './chat/tracing/request-tracer.js';
import { LiveTurns } from './chat/turns/live-turns.js';
import { chatMemory } from './chat-memory.js';
import { chatTasks } from './chat-tasks.js';
import type { LoadedSettings } from './config/config.js';
import { EventHub } from './http/event-hub.js';
import { Metrics } from './http/metrics.js';
import { toOperation } from './http/routes/model-shapes.js';
import { toStarter } from './http/routes/models-starter.js';
import { switchPolicy } from './http/routes/switch-policy.js';
import { createServer } from './http/server.js';
import { MachineFileDigests } from './machine/file-digests.js';
import { availableMemory, freeDiskBytes, MachineUsage } from './machine/usage-meter.js';
import { modelCatalogs } from './model-catalogs.js';
import { modelServers } from './model-servers.js';
import { Activation } from './models/activation.js';
import { Adoption } from './models/adoption.js';
import { FitAdvisor } from './models/fit-advisor.js';
import { GenerationOverrides } from './models/generation-overrides.js';
import { ModelManager } from './models/model-manager.js';
import { ModelRegistry } from './models/model-registry.js';
import { type ModelOperation, ModelOperations } from './models/operations.js';
import { RuntimeSwitch } from './models/runtime-switch.js';
import type { StarterSnapshot } from './models/starter.js';
import { readGguf, readGgufFrom } from './runtimes/llama-cpp/gguf-check.js';
import { LlamaCppRuntime } from './runtimes/llama-cpp/llama-cpp-runtime.js';
import { planLoad } from './runtimes/llama-cpp/memory-estimate.js';
import { LlmServerController } from './runtimes/llm-server-controller.js';
import type { Runtime } from './runtimes/runtime.js';
import { findProgram } from './runtimes/servers/argument-vector.js';
import { DEFAULT_TRAFFIC, TrafficControl } from './runtimes/upstream-traffic.js';
import { systemClock } from './shared/clock.js';
import { SqliteLearnedPhrases } from './storage/sqlite-learned-phrases.js';
import { SqliteManifests, SqliteOperations, SqliteVersions } from './storage/sqlite-models.js';
import { SqliteSessions } from './storage/sqlite-sessions.js';
import { SqliteState } from './storage/sqlite-state.js';
import { SqliteStore } from './storage/sqlite-store.js';
import { SqliteTasks } from './storage/sqlite-tasks.js';
import { SqliteTraces } from './storage/sqlite-traces.js';

const FINISH_TURNS_MS = 8_000;
const BACKUP_EVERY_MS = 86_400_000;
const HISTORY_CHARS = 8_000;
const HEALTH_EVERY_MS = 15_000;

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
  /** What model servers that are started from here get a part of, and where programs are found. */
  environment?: Readonly<Record<string, string | undefined>>;
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
  const tasks = new SqliteTasks(store);
  tracer.closeAbandoned(new Set(tasks.unfinished().map(({ id }) => id)));
  if (sessions.recovered > 0)
    logger.info({ answers: sessions.recovered }, 'answers of the former run were marked interrupted');

  const traffic = new TrafficControl(
    {
      retry: {
        ...DEFAULT_TRAFFIC.retry,
        attempts: settings.UPSTREAM_RETRY_MAX_ATTEMPTS,
        backOffMs: settings.UPSTREAM_RETRY_BACKOFF_SECONDS * 1_000,
        retryAfterMaxMs: settings.UPSTREAM_RETRY_AFTER_MAX_SECONDS * 1_000,
      },
      circuitFailures: settings.UPSTREAM_CIRCUIT_FAILURES,
      circuitOpenMs: settings.UPSTREAM_CIRCUIT_OPEN_SECONDS * 1_000,
    },
    systemClock.now,
  );
  const environment = options.environment ?? {};
  const servers = modelServers(settings, { environment, traffic });
  const { catalogs, sources } = modelCatalogs(settings, { modelsDir });
  const runtimes = options.runtimes ?? [
    new LlamaCppRuntime({
      modelsDir,
      workerPath: join(options.distDir, 'server', 'worker.js'),
      keepAlive: settings.LLM_KEEP_ALIVE,
      contextLength: settings.LLAMA_CONTEXT_LENGTH || undefined,
      conversations: settings.LLAMA_CONVERSATIONS,
      limits: {
        loadedModels: settings.LLAMA_MAX_LOADED_MODELS,
        memoryBytes: settings.LLAMA_MEMORY_LIMIT_GB * 1_073_741_824,
        queued: settings.LLAMA_QUEUE_LIMIT,
      },
      keepAlives: {
        get: (model) => state.get(`keep_alive:llama-cpp:${model}`) ?? '',
        set: (model, keepAlive) => state.set(`keep_alive:llama-cpp:${model}`, keepAlive),
      },
      pinned: (model) => activation.versions(model).some(({ pinned, runtime }) => pinned && runtime === 'llama-cpp'),
      availableMemoryBytes: availableMemory,
      threads: settings.LLAMA_THREADS || undefined,
      measurements: {
        get: async (key) => state.get(`measured:${key}`) ?? null,
        set: async (key, value) => state.set(`measured:${key}`, value),
      },
      logger,
    }),
    ...servers.runtimes,
  ];
  const operationListeners = new Set<(operation: ModelOperation) => void>();
  const operations = new ModelOperations({
    repository: new SqliteOperations(store),
    now: Date.now,
    newId: randomUUID,
    owner: bootId,
    onChange: (operation) => {
      for (const listener of operationListeners) listener(operation);
      hub.publish('MODEL_OPERATION', `${operation.type} ${operation.modelName}: ${operation.message}`, {
        ...toOperation(operation),
      });
    },
  });
  const activation = new Activation({ versions: new SqliteVersions(store), now: Date.now });
  const overrides = new GenerationOverrides(state, settings.MODEL_GENERATION_OVERRIDES);
  const digests = new MachineFileDigests(state);
  const models: ModelManager = new ModelManager({
    runtimes,
    memory: state,
    configuredModel: settings.LLM_MODEL_NAME,
    activation,
    operations,
    registry: () => registry,
    digests,
    overrides,
    // What the engine itself plans with: several conversations at once.
    estimateBytes: async (path) =>
      planLoad(await readGguf(path), Number.POSITIVE_INFINITY, {
        contextLength: settings.LLAMA_CONTEXT_LENGTH || undefined,
        conversations: settings.LLAMA_CONVERSATIONS,
      }).totalBytes,
    now: Date.now,
    onRollback: (from, to, reason) => logger.warn({ from, to, reason }, 'the new version failed; going back'),
  });
  const usage = new MachineUsage(modelsDir);
  const diskLimitBytes = settings.MODELS_DISK_LIMIT_GB * 1_073_741_824;
  const registry = new ModelRegistry({
    catalogs,
    sources: [...sources, ...servers.sources, new LocalModels(modelsDir)],
    manifests: new SqliteManifests(store),
    operations,
    now: Date.now,
    freeDiskBytes: () => freeDiskBytes(modelsDir),
    diskLimitBytes,
    modelsBytes: async () => (await usage.sample()).modelsBytes,
    inUse: async (name, runtime) => {
      const active = await models.activeIdentity();
      if (active.model === name && active.provider === runtime) return `${name} is the active model.`;
      const pinned = activation.versions(name).some((version) => version.pinned && version.runtime === runtime);
      return pinned ? `${name} is pinned.` : null;
    },
    onChanged: () => models.changed(),
  });
  const fit = new FitAdvisor({
    models,
    registry: () => registry,
    shapes: {
      local: readGguf,
      remote: (file, signal) =>
        readGgufFrom(
          remoteBytes({ ...file, token: settings.HF_TOKEN || undefined, fetch: fetchByEnvironment }, signal),
        ),
    },
    machine: async () => {
      const sample = await usage.sample();
      return {
        availableBytes: sample.memoryTotalBytes - sample.memoryUsedBytes,
        totalBytes: sample.memoryTotalBytes,
        vramFreeBytes: sample.gpu ? sample.gpu.vramTotalBytes - sample.gpu.vramUsedBytes : null,
        conversations: settings.LLAMA_CONVERSATIONS,
      };
    },
    contextLength: settings.LLAMA_CONTEXT_LENGTH || undefined,
  });
  const adoption = new Adoption({
    foreign: new ForeignModels(defaultForeignFolders(), modelsDir),
    registry,
    operations,
    digests,
    checkFile: readGguf,
    now: Date.now,
    onAdopted: () => models.changed(),
  });
  const controller = new LlmServerController({
    definitions: servers.definitions,
    stateDir: join(dataDir, 'servers'),
    environment,
    systemctl: findProgram('systemctl', environment['PATH']),
    now: Date.now,
    onHealth: (name, { status, error, latencyMs }) =>
      hub.publish('SERVICE_STATUS_UPDATE', `${name} is ${status}.`, {
        name,
        type: 'llm',
        service_type: 'llm',
        status,
        error_message: error,
        latency_ms: latencyMs,
      }),
  });
  const switching = new RuntimeSwitch({
    models,
    controller,
    newId: randomUUID,
    now: Date.now,
    codingFacts: async () => {
      const sample = await usage.sample();
      return {
        profile: settings.VENOM_OLLAMA_PROFILE,
        contextLength: settings.OLLAMA_CONTEXT_LENGTH,
        memoryTotalBytes: sample.memoryTotalBytes,
        vramTotalBytes: sample.gpu?.vramTotalBytes ?? null,
      };
    },
    onSelected: (selected) => metrics.modelSelected(selected.source, selected.runtime),
  });
  const policy = switchPolicy(settings.VENOM_RUNTIME_SWITCH_TOKEN);
  const cloudKeys = { openai: settings.OPENAI_API_KEY, google: settings.GOOGLE_API_KEY };
  const remote = new CloudCatalogs({
    keys: cloudKeys,
    modelUrls: {
      openai: settings.OPENAI_CHAT_COMPLETIONS_ENDPOINT.replace(/\/chat\/completions\/?$/, '/models'),
      google: settings.GOOGLE_MODELS_ENDPOINT,
    },
    chatUrls: { openai: settings.OPENAI_CHAT_COMPLETIONS_ENDPOINT, google: settings.GOOGLE_MODELS_ENDPOINT },
    models: { openai: settings.OPENAI_GPT4O_MODEL, google: settings.GOOGLE_GEMINI_PRO_MODEL },
    hybridProvider: settings.HYBRID_CLOUD_PROVIDER,
    timeoutMs: Math.min(20, Math.max(1, settings.OPENAI_API_TIMEOUT)) * 1_000,
    now: Date.now,
  });
  const counters = new TaskCounters(systemClock.now());
  const metrics = new Metrics(() => turns.size);
  const turns = new LiveTurns(settings.MAX_CONCURRENT_STREAMS);
  const simple = new SimpleMode(
    {
      sessions,
      tracer,
      turns,
      clock: systemClock,
      target: (name) => models.chatTarget(name),
      onUsage: (taken, target) => {
        metrics.answer(target.provider, taken);
        counters.answer(target.model, taken, null);
      },
      onOutcome: (target, failure) => models.outcome(target.model, failure),
      onFirstTurn: (turn) => memory.results.enqueue(turn),
    },
    {
      systemPrompt: settings.SIMPLE_MODE_SYSTEM_PROMPT,
      rejoinGraceMs: settings.STREAM_REJOIN_GRACE_SECONDS * 1_000,
      historyChars: HISTORY_CHARS,
    },
  );
  const mutationAllowed = !isPreProduction(settings.ENVIRONMENT_ROLE) || settings.ALLOW_DATA_MUTATION;
  const router = new ActiveModelRouter((name) => models.chatTarget(name), systemClock);
  const memory = chatMemory({
    settings,
    store,
    sessions,
    tracer,
    models,
    route: (request) => router.route(request),
    idle: () => turns.size === 0 && orchestrator.queue.active === 0,
    stopSession: (sessionId) => {
      simple.cancelSession(sessionId);
      orchestrator.stopSession(sessionId);
    },
    clearTasks: (sessionId) => orchestrator.countOfSession(sessionId),
    task: (id) => tasks.get(id),
    followUps: new OrchestratedFollowUps(() => orchestrator),
    mayDelete: mutationAllowed,
    distDir: options.distDir,
    logger,
    onStep: (step, outcome) => metrics.resultStep(step, outcome),
  });
  const { orchestrator, services } = chatTasks({
    settings,
    tasks,
    sessions,
    tracer,
    events: hub,
    counters,
    metrics,
    models,
    registry,
    intents: new WordIntents(),
    slash: new SlashTable(),
    answers: (monitor) => new PlainAnswers(monitor),
    router,
    context: memory.context,
    results: memory.results,
    memory: memory.searchTool,
    translator: null,
    clearSession: (sessionId) => memory.clearing.clear(sessionId),
    checkStore: () => void store.describe(),
  });
  const starter = new StarterModel({
    modelsDir,
    setting: settings.VENOM_STARTER_MODEL,
    huggingFaceBaseUrl: settings.HF_ENDPOINT,
    huggingFaceToken: settings.HF_TOKEN || undefined,
    onChange: (snapshot: StarterSnapshot) =>
      hub.publish('MODEL_STARTER', `Starter model: ${snapshot.state}`, toStarter(snapshot)),
  });
  const learned = new LearnedPhrases({
    repository: new SqliteLearnedPhrases(store),
    now: Date.now,
    newId: randomUUID,
    recording: settings.ENABLE_META_LEARNING,
    onFailure: (error) => logger.warn({ err: error }, 'a learned phrase was not recorded'),
  });
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
    orchestrator,
    chatModes: {
      taskTimeoutMs: settings.TASK_TIMEOUT_SECONDS * 1_000,
      intentTimeoutMs: settings.INTENT_CLASSIFIER_TIMEOUT_SECONDS * 1_000,
    },
    queue: { mutationAllowed },
    services,
    counters: { counters, defaultCostModel: settings.DEFAULT_COST_MODEL },
    keepAlive: settings.LLM_KEEP_ALIVE,
    memory: { ...memory, sessions, ttlDays: settings.SESSION_TTL_DAYS },
    knowledge: { ...memory, maxFileBytes: settings.KNOWLEDGE_MAX_FILE_BYTES },
    learning: {
      ...memory,
      enabled: settings.ENABLE_META_LEARNING,
      onFeedback: (rating) => metrics.feedback(rating),
    },
    tracer,
    learned,
    models: {
      models,
      registry,
      operations,
      activation,
      adoption,
      fit,
      overrides,
      switching,
      policy,
      remote,
      usage,
      diskLimitBytes,
      starter,
      onOperation: (listener) => {
        operationListeners.add(listener);
        return () => operationListeners.delete(listener);
      },
      configuredModels: {
        local: settings.LLM_MODEL_NAME,
        hybrid_local: settings.HYBRID_LOCAL_MODEL,
        cloud: settings.HYBRID_CLOUD_MODEL,
      },
    },
    llm: {
      models,
      controller,
      traffic,
      profile: settings.VENOM_RUNTIME_PROFILE,
      forbidden: servers.forbidden,
      switching,
      policy,
      remote,
      cloudConfigured: { openai: cloudKeys.openai !== '', google: cloudKeys.google !== '' },
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

  const healthChecks = setInterval(() => void controller.checkAll(HEALTH_EVERY_MS), HEALTH_EVERY_MS).unref();
  memory.start();
  const { resumed, interrupted } = operations.recover();
  if (resumed + interrupted > 0) logger.info({ resumed, interrupted }, 'operations of the former run were taken up');

  const left = await orchestrator.recover();
  if (left.queued + left.interrupted > 0) logger.info(left, 'tasks of the former run were taken up');

  const stopping = new AbortController();
  const prepare = async () => {
    try {
      if (starter.state.state === 'absent' && (await models.activeModel()) === null) await starter.install();
      if (!settings.LLM_WARMUP_ON_STARTUP) return;
      await models.warmUp({
        prompt: settings.LLM_WARMUP_PROMPT,
        maxTokens: settings.LLM_WARMUP_MAX_TOKENS,
        timeoutMs: settings.LLM_WARMUP_TIMEOUT_SECONDS * 1_000,
        signal: stopping.signal,
      });
    } catch (error) {
      if (stopping.signal.aborted) return;
      logger.warn({ err: error }, 'the model could not be prepared; the first question tries again');
    }
  };

  let closing: Promise<void> | undefined;
  const close = async () => {
    stopping.abort();
    clearTimeout(backUp);
    clearInterval(healthChecks);
    await Promise.all([turns.close(FINISH_TURNS_MS), orchestrator.close(FINISH_TURNS_MS)]);
    await memory.close();
    await operations.close();
    hub.close();
    await http.close();
    const { failed } = await models.unloadAll();
    if (failed.length > 0) logger.warn({ failed }, 'some models may still be in memory');
    await models.close();
    await controller.close();
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

const isPreProduction = (role: string): boolean =>
  ['preprod', 'pre-prod', 'staging', 'stage'].includes(role.trim().toLowerCase());

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
