// The one place where adapters meet the domain. Plain `new`, top to bottom; `close` undoes it in reverse.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { CloudCatalogs } from './catalogs/cloud/cloud-catalogs.js';
import { fetchByEnvironment } from './catalogs/download/ranged-download.js';
import { remoteBytes } from './catalogs/download/remote-bytes.js';
import { defaultForeignFolders, ForeignModels } from './catalogs/local-folders/foreign-models.js';
import { StarterModel } from './catalogs/starter/starter-model.js';
import { IntentClassifier } from './chat/intents/intent-classifier.js';
import { LearnedPhrases } from './chat/intents/learned-phrases.js';
import type { TurnUsage } from './chat/ports.js';
import { SessionStore } from './chat/sessions/session-store.js';
import { type ChatTarget, SimpleMode } from './chat/simple-mode.js';
import { slashCommands } from './chat/slash-commands.js';
import { StateManager } from './chat/state/state-manager.js';
import { TemplateAnswers } from './chat/static-answers.js';
import { OrchestratedFollowUps } from './chat/tasks/follow-up-tasks.js';
import { TaskCounters } from './chat/tasks/task-counters.js';
import { HistoryRetention } from './chat/tracing/history-retention.js';
import { RequestTracer } from './chat/tracing/request-tracer.js';
import { storedEnds } from './chat/tracing/stored-ends.js';
import { textLanguage } from './chat/translation/text-language.js';
import { Translator } from './chat/translation/translator.js';
import { LiveTurns } from './chat/turns/live-turns.js';
import { chatMemory } from './chat-memory.js';
import { chatSkills } from './chat-skills.js';
import { chatTasks, councilBounds } from './chat-tasks.js';
import { cloudExit, cloudRouting, sessionLabelling } from './cloud-routing.js';
import { type LoadedSettings, type Settings, userApiKeys } from './config/config.js';
import { AnswerGate, CompatibleAnswers } from './http/compatible/answers.js';
import { EventHub } from './http/event-hub.js';
import { ownerOfKey } from './http/guard.js';
import { Metrics } from './http/metrics.js';
import { ownAddress } from './http/own-address.js';
import { toOperation } from './http/routes/model-shapes.js';
import { toStarter } from './http/routes/models-starter.js';
import { switchPolicy } from './http/routes/switch-policy.js';
import { createServer } from './http/server.js';
import { UserGrants } from './http/user-grants.js';
import { MachineFileDigests } from './machine/file-digests.js';
import { isInOwnNetwork } from './machine/own-network.js';
import { availableMemory, diskOf, MachineUsage } from './machine/usage-meter.js';
import { mcpHost } from './mcp-host.js';
import { modelCatalogs } from './model-catalogs.js';
import { modelServers } from './model-servers.js';
import { Activation } from './models/activation.js';
import { Adoption } from './models/adoption.js';
import { DerivedModels } from './models/derived-models.js';
import { FitAdvisor } from './models/fit-advisor.js';
import { GenerationOverrides } from './models/generation-overrides.js';
import { IdleProbes } from './models/idle-probes.js';
import { ModelManager } from './models/model-manager.js';
import { ModelRegistry } from './models/model-registry.js';
import { ModelTrials } from './models/model-trial.js';
import { type ModelOperation, ModelOperations, mayKnowOperation, type OperationType } from './models/operations.js';
import { QuietMoments } from './models/quiet-moments.js';
import { RuntimeSwitch } from './models/runtime-switch.js';
import type { StarterSnapshot } from './models/starter.js';
import { SessionLabelsDesk } from './routing/label-release.js';
import { CLOUD_PROVIDERS, type CloudProvider } from './routing/policy.js';
import { readGguf, readGgufFrom } from './runtimes/llama-cpp/gguf-check.js';
import { LlamaCppRuntime } from './runtimes/llama-cpp/llama-cpp-runtime.js';
import { planLoad } from './runtimes/llama-cpp/memory-estimate.js';
import { LlmServerController } from './runtimes/llm-server-controller.js';
import { OllamaFigures } from './runtimes/ollama/ollama-figures.js';
import type { Runtime } from './runtimes/runtime.js';
import { findProgram } from './runtimes/servers/argument-vector.js';
import { DEFAULT_TRAFFIC, TrafficControl } from './runtimes/upstream-traffic.js';
import { systemClock } from './shared/clock.js';
import type { ImportedServers } from './skills/mcp/ports.js';
import { ToolGrants } from './skills/tool-grants.js';
import { backupPath, listBackups, removeBackup } from './storage/backups.js';
import { makeDataFolder } from './storage/data-folder.js';
import { cleanableFolders, removeOldFiles } from './storage/old-files.js';
import { SqliteGoals } from './storage/sqlite-goals.js';
import { SqliteLearnedPhrases } from './storage/sqlite-learned-phrases.js';
import { SqliteManifests, SqliteOperations, SqliteVersions } from './storage/sqlite-models.js';
import { SqlitePictures } from './storage/sqlite-pictures.js';
import { RESPONSE_DAYS, SqliteResponses } from './storage/sqlite-responses.js';
import { AgingTasks, AgingTraces } from './storage/sqlite-retention.js';
import { SqliteSessionLabels } from './storage/sqlite-session-labels.js';
import { SqliteSessions } from './storage/sqlite-sessions.js';
import { SqliteState } from './storage/sqlite-state.js';
import { SqliteStore } from './storage/sqlite-store.js';
import { SqliteTasks } from './storage/sqlite-tasks.js';
import { SqliteTraces } from './storage/sqlite-traces.js';

const FINISH_TURNS_MS = 8_000;
const DAY_MS = 86_400_000;
const BACKUP_EVERY_MS = DAY_MS;
/** How often it is looked whether one is due. */
const BACKUP_DUE_MS = 60_000;
const HISTORY_CHARS = 8_000;
const MOST_ENTRIES = 100_000;
const HEALTH_EVERY_MS = 15_000;
/** Of lines that could not be written yet. */
const LOG_HELD_BYTES = 1_000_000;
/** Whoever has just read an answer often asks again. */
const QUIET_MS = 5_000;
/** Goals and tasks of one session that a status report names. */
const REPORTED = 20;
/** Nobody's session, and nobody's key. */
const HOUSE = { owner: null, sessionId: null };
const CLOUD_NAMES = ['openai', 'google'] as const;

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
  /** Replaces the imported MCP servers behind the gateway; for tests. */
  importedServers?: ImportedServers;
}

/** @throws AppError `store_locked`, `store_newer`, `store_corrupt`, `store_unavailable` */
export async function compose({ settings, inEffect }: LoadedSettings, options: ComposeOptions): Promise<Composed> {
  const dataDir = settings.VENOM_DATA_DIR;
  const modelsDir = join(dataDir, 'models');
  makeDataFolder(modelsDir);
  const logger = options.logger ?? createLogger(settings.VENOM_LOG_LEVEL);
  const bootId = settings.VENOM_BOOT_ID || randomUUID().replaceAll('-', '');

  const embeddingTimeoutMs = settings.UPSTREAM_EMBEDDING_TIMEOUT_SECONDS * 1_000;

  const store = new SqliteStore(join(dataDir, 'venom.db'));
  const toolGrants = new ToolGrants(settings.USER_KEYS_MCP_SERVERS);
  const hub = new EventHub({
    ownerOfRequest: (id) => orchestrator.ownerOf(id) ?? tracer.get(id)?.owner ?? null,
    mayHear: (viewer, type, data) =>
      type === 'MCP_SERVER'
        ? toolGrants.mayUseServer(viewer, String(data?.['name']))
        : type !== 'MODEL_OPERATION' || mayKnowOperation(viewer, { type: data?.['operation_type'] as OperationType }),
  });
  const state = new StateManager(new SqliteState(store));
  const telemetry = settings.OTEL_EXPORTER_OTLP_ENDPOINT
    ? await (await import('./telemetry/otlp-trace-export.js')).openOtlpTraceExport({
        endpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
        headers: settings.OTEL_EXPORTER_OTLP_HEADERS.split(','),
        serviceName: settings.OTEL_SERVICE_NAME,
        serviceVersion: manifest.version,
        withContent: settings.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
        onFailure: (error) => logger.warn({ err: error }, 'traces could not be exported'),
      })
    : null;
  const tracer = new RequestTracer(new SqliteTraces(store), systemClock, {
    lostAfterMs: settings.REQUEST_LOST_AFTER_SECONDS * 1_000,
    isAlive: (id) => turns.get(id) !== undefined || orchestrator.isLive(id) || gate.has(id),
    onFinished:
      telemetry === null
        ? undefined
        : (trace) =>
            telemetry.export(() => {
              // A session's message keeps what its trace does not.
              const message = trace.sessionId === null ? undefined : sessions.answer(trace.requestId);
              return {
                trace,
                receipt: trace.receipt ?? message?.receipt ?? null,
                usage: trace.usage ?? message?.usage ?? null,
                answer: message?.content ?? null,
              };
            }),
  });
  const exit = await cloudExit(settings, logger);
  const labels = new SqliteSessionLabels(store, (error) =>
    logger.error({ err: error }, 'a label could not be written'),
  );
  const sessions = new SessionStore(
    new SqliteSessions(store, bootId, settings.SESSION_MAX_ENTRIES),
    systemClock,
    hub,
    bootId,
    sessionLabelling(exit.sensitivity, labels),
  );
  const pictures = new SqlitePictures(store, settings.SESSION_PICTURES_MB * 1_000_000);
  const tasks = new SqliteTasks(store, pictures);
  const goals = new SqliteGoals(store);
  const tracesFrom = settings.TRACE_RETENTION_DAYS === 0 ? 0 : Date.now() - settings.TRACE_RETENTION_DAYS * DAY_MS;
  for (const end of storedEnds(sessions, tasks, tracesFrom)) tracer.tellEnd(end);
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
  const digests = new MachineFileDigests(state);
  const environment = options.environment ?? {};
  const ollamaFigures = new OllamaFigures();
  const servers = modelServers(settings, { environment, traffic, ollamaFigures });
  const { catalogs, sources } = modelCatalogs(settings, { modelsDir, digests });
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
        set: (model, keepAlive) => state.kept.set(`keep_alive:llama-cpp:${model}`, keepAlive),
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
  // What this machine can isolate is tried while the rest is put together.
  const mcpStarting = mcpHost(settings, {
    store,
    operations,
    environment,
    version: manifest.version,
    logger,
    onChange: (server) => hub.publish('MCP_SERVER', `MCP server ${server} changed.`, { name: server }),
    ownAddress: () => ownAddress(settings, http.server.address()),
  });
  const somebodyWaits = () => turns.size > 0 || orchestrator.queue.active > 0 || gate.size > 0;
  const quiet = new QuietMoments({ busy: somebodyWaits, quietMs: QUIET_MS, now: () => performance.now() });
  const activation = new Activation({ versions: new SqliteVersions(store), now: Date.now });
  const overrides = new GenerationOverrides(state.kept, settings.MODEL_GENERATION_OVERRIDES);
  const models: ModelManager = new ModelManager({
    runtimes,
    memory: state.kept,
    configuredModel: settings.LLM_MODEL_NAME,
    configuredCloud: configuredCloud(settings, exit.tiers),
    cloudEndpoint: (provider) => exit.gate.endpoint(provider as CloudProvider),
    activation,
    operations,
    registry: () => registry,
    digests,
    overrides,
    trials: new ModelTrials({
      registry: () => registry,
      digests,
      // What the engine itself plans with: several conversations at once.
      estimateBytes: async (path) =>
        planLoad(await readGguf(path), Number.POSITIVE_INFINITY, {
          contextLength: settings.LLAMA_CONTEXT_LENGTH || undefined,
          conversations: settings.LLAMA_CONVERSATIONS,
        }).totalBytes,
      quiet,
      now: Date.now,
    }),
    now: Date.now,
    isInOwnNetwork: (endpoint) => isInOwnNetwork(endpoint),
    onChosen: () => probes?.wake(),
    onRollback: (from, to, reason) =>
      logger.warn(
        { from, to, reason },
        to === null ? 'the new version failed; no way back' : 'the new version failed; going back',
      ),
  });
  const usage = new MachineUsage(modelsDir);
  const diskLimitBytes = settings.MODELS_DISK_LIMIT_GB * 1_073_741_824;
  const registry = new ModelRegistry({
    catalogs,
    sources: [...sources, ...servers.sources],
    manifests: new SqliteManifests(store),
    operations,
    now: Date.now,
    disk: () => diskOf(modelsDir),
    diskLimitBytes,
    modelsBytes: async () => (await usage.sample()).modelsBytes,
    inUse: async (name, runtime) => {
      const active = await models.activeIdentity();
      if (active.model === name && active.provider === runtime) return `${name} is the active model.`;
      const pinned = activation.versions(name).some((version) => version.pinned && version.runtime === runtime);
      return pinned ? `${name} is pinned.` : null;
    },
    beforeAdding: () => models.holdActive(),
    onChanged: () => {
      models.changed();
      probes?.wake();
    },
  });
  const probes =
    settings.MODEL_AUTO_PROBE && !settings.VENOM_PAUSE_BACKGROUND_TASKS
      ? new IdleProbes({
          untried: () => models.untried(),
          recordActive: (signal) => models.recordActive(signal),
          start: (found) => models.probeQuietly(found),
          settled: (operationId) => operations.settled(operationId),
          quiet,
          memory: state,
          now: Date.now,
          onFailure: (error) => logger.warn({ err: error }, 'models could not be tried; it is done later'),
        })
      : null;
  const fit = new FitAdvisor({
    models,
    registry: () => registry,
    shapes: {
      local: readGguf,
      remote: (file, signal) =>
        file.url.startsWith('file:')
          ? readGguf(fileURLToPath(file.url))
          : readGgufFrom(
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
    beforeAdding: () => models.holdActive(),
    onAdopted: () => {
      models.changed();
      probes?.wake();
    },
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
  const remote = new CloudCatalogs({
    hasKey: (provider) => exit.gate.hasKey(provider),
    reader: (provider) => exit.gate.reader(provider),
    modelUrls: {
      openai: settings.OPENAI_CHAT_COMPLETIONS_ENDPOINT.replace(/\/chat\/completions\/?$/, '/models'),
      google: settings.GOOGLE_MODELS_ENDPOINT,
    },
    chatUrls: { openai: settings.OPENAI_CHAT_COMPLETIONS_ENDPOINT, google: settings.GOOGLE_MODELS_ENDPOINT },
    models: { openai: exit.tiers.openai.high, google: exit.tiers.google.high },
    hybridProvider: settings.HYBRID_CLOUD_PROVIDER,
    timeoutMs: Math.min(20, Math.max(1, settings.OPENAI_API_TIMEOUT)) * 1_000,
    now: Date.now,
  });
  const counters = new TaskCounters(systemClock.now());
  const count = (taken: TurnUsage, target: Pick<ChatTarget, 'provider' | 'model'>, costUsd: number | null = null) => {
    metrics.answer(target.provider, taken);
    counters.answer(target.model, taken, costUsd);
  };
  const metrics = new Metrics(() => turns.size, traffic);
  const turns = new LiveTurns(settings.MAX_CONCURRENT_STREAMS);
  const routing = await cloudRouting(settings, { exit, labels, store, state, models, events: hub, logger });
  const simple = new SimpleMode(
    {
      sessions,
      tracer,
      turns,
      clock: systemClock,
      router: routing.router,
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
  const mutationAllowed = !isPreProduction(settings.ENVIRONMENT_ROLE) || settings.ALLOW_DATA_MUTATION;
  const translator = new Translator(
    {
      target: (text) =>
        routing.router.route({ text, mode: 'background', taskType: 'CHAT', sessionId: null, labels: [] }),
      detectLanguage: textLanguage,
      now: Date.now,
      onUsage: count,
    },
    { timeoutMs: settings.OPENAI_API_TIMEOUT * 1_000, trustedLanguages: settings.TRANSLATION_LANGUAGES },
  );
  const memory = chatMemory({
    settings,
    store,
    sessions,
    tracer,
    sessionLabels: (sessionId) => labels.of(sessionId),
    models,
    route: (request) => routing.router.route(request),
    idle: () => !somebodyWaits(),
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
  const mcp = await mcpStarting;
  const skills = chatSkills({
    settings,
    store,
    events: hub,
    models,
    memory,
    translator,
    sessionLabels: (sessionId) => labels.of(sessionId),
    resumeTask: (id) => orchestrator.resume(id),
    services: () => services,
    work: (place) => ({
      goals: { counts: goals.counts(null), here: goals.ofSession(place, REPORTED) },
      tasks: {
        counts: tasks.counts(),
        here: tasks.ofSession(place, REPORTED).map(({ request, status }) => ({ content: request.content, status })),
      },
      queue: orchestrator.queue,
    }),
    searchPath: environment['PATH'],
    sandbox: mcp.sandbox,
    providers: [mcp.tools],
    grants: toolGrants,
    logger,
  });
  const { orchestrator, services } = chatTasks({
    settings,
    tasks,
    sessions,
    goals,
    tracer,
    events: hub,
    counters,
    metrics,
    models,
    intents: new IntentClassifier({
      learned,
      ...(settings.ENABLE_INTENT_EMBEDDING_ROUTER
        ? {
            embedding: {
              embed: (texts, signal) => memory.embedder.embed(texts, signal),
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
    }),
    slash: slashCommands,
    answers: (monitor) =>
      new TemplateAnswers({
        services: monitor,
        clock: systemClock,
        // Who needs a tool is there with it.
        agents: [
          ...(['chat', 'coder', 'critic', 'architect', 'librarian'] as const),
          ...(skills.manager.toolBox.has('git__get_status', HOUSE) ? (['git', 'release'] as const) : []),
          ...(skills.manager.toolBox.has('shell__run_shell', HOUSE) ? (['tester'] as const) : []),
          ...(skills.manager.toolBox.has('web__search', HOUSE) ? (['researcher'] as const) : []),
          ...(['publisher', 'executive', 'toolmaker'] as const),
        ],
        modes: [
          ...(['direct', 'normal', 'complex'] as const),
          ...(settings.COUNCIL_MAX_ROUNDS > 0 ? (['council'] as const) : []),
          'campaign',
        ],
        activeModel: () => models.chosenModel,
        cloud: () => CLOUD_NAMES.filter((name) => exit.gate.hasKey(name)),
      }),
    router: routing.router,
    context: memory.context,
    results: memory.results,
    toolBox: skills.manager.toolBox,
    translator: { translate: (text, language, signal) => translator.translateAnswer(text, language, signal) },
    clearSession: (sessionId) => memory.clearing.clear(sessionId),
    checkStore: () => void store.describe(),
  });
  const gate = new AnswerGate(settings.MAX_CONCURRENT_STREAMS);
  const responses = new SqliteResponses(store);
  const retention = new HistoryRetention({
    traces: new AgingTraces(store),
    tasks: new AgingTasks(store),
    responses,
    traceDays: settings.TRACE_RETENTION_DAYS,
    traceBytes: settings.TRACE_RETENTION_MB * 1_000_000,
    taskDays: settings.TASK_RETENTION_DAYS,
    responseDays: RESPONSE_DAYS,
    others:
      settings.ENABLE_RUNTIME_RETENTION_CLEANUP && settings.RUNTIME_RETENTION_DAYS > 0
        ? {
            everyMs: settings.RUNTIME_RETENTION_INTERVAL_MINUTES * 60_000,
            remove: () =>
              removeOldFiles(
                cleanableFolders(dataDir, settings.RUNTIME_RETENTION_TARGETS),
                Date.now() - settings.RUNTIME_RETENTION_DAYS * 86_400_000,
              ),
          }
        : undefined,
    clock: systemClock,
    onRemoved: (removed) => logger.info(removed, 'what was too old was deleted'),
    onFailure: (error) => logger.warn({ err: error }, 'what is too old could not be deleted'),
  });
  const answers = new CompatibleAnswers({
    target: (model, text, images) =>
      routing.router.route({ text, model, images, mode: 'direct', taskType: 'CHAT', sessionId: null, labels: [] }),
    abilities: (name, provider) => models.abilities(name, provider),
    tracer,
    gate,
    onUsage: count,
    onOutcome: (target, failure) => models.outcome(target.model, failure),
  });
  const starter = new StarterModel({
    modelsDir,
    setting: settings.VENOM_STARTER_MODEL,
    huggingFaceBaseUrl: settings.HF_ENDPOINT,
    huggingFaceToken: settings.HF_TOKEN || undefined,
    onChange: (snapshot: StarterSnapshot) =>
      hub.publish('MODEL_STARTER', `Starter model: ${snapshot.state}`, toStarter(snapshot)),
    beforeAdding: () => models.holdActive(),
    onInstalled: (manifest) => {
      registry.record({ ...manifest, installedAt: Date.now() });
      models.changed();
      void models.recordActive().catch((error) => logger.warn({ err: error }, 'the version was not recorded'));
      probes?.wake();
    },
  });
  const onOperation = (listener: (operation: ModelOperation) => void) => {
    operationListeners.add(listener);
    return () => operationListeners.delete(listener);
  };
  const grants = new UserGrants(
    { approveTools: settings.USER_KEYS_APPROVE_TOOLS, callTools: settings.USER_KEYS_CALL_TOOLS },
    toolGrants,
  );
  const http = await createServer({
    logger,
    guard: {
      grants,
      apiKey: settings.VENOM_API_KEY,
      userApiKeys: userApiKeys(settings),
      allowedHosts: [
        ...settings.VENOM_ALLOWED_HOSTS,
        ...(settings.VENOM_PUBLIC_URL ? [new URL(settings.VENOM_PUBLIC_URL).host] : []),
      ],
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
    goals,
    chatModes: {
      taskTimeoutMs: settings.TASK_TIMEOUT_SECONDS * 1_000,
      intentTimeoutMs: settings.INTENT_CLASSIFIER_TIMEOUT_SECONDS * 1_000,
      council: councilBounds(settings),
    },
    queue: { mutationAllowed },
    services,
    counters: {
      counters,
      defaultCostModel: settings.DEFAULT_COST_MODEL,
      generationParamUpdates: () => overrides.updates,
      ollama: ollamaFigures,
    },
    keepAlive: settings.LLM_KEEP_ALIVE,
    sessionPictures: pictures,
    memory: { ...memory, sessions, ttlDays: settings.SESSION_TTL_DAYS },
    sessionLabels,
    knowledge: { ...memory, maxFileBytes: settings.KNOWLEDGE_MAX_FILE_BYTES },
    learning: {
      ...memory,
      enabled: settings.ENABLE_META_LEARNING,
      onFeedback: (rating) => {
        metrics.feedback(rating);
        counters.feedback[rating] += 1;
      },
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
      translator,
      newsTranslationMs: Math.max(0.5, settings.TRANSLATION_TIMEOUT_NEWS) * 1_000,
      onOperation,
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
      exit: exit.gate,
      cloudModels: {
        openai: exit.tiers.openai.high,
        google: exit.tiers.google.high,
        'cloud-compatible': exit.tiers['cloud-compatible'].high,
      },
      forceLocal: settings.FORCE_LOCAL_MODEL,
    },
    system: {
      bootId,
      version: manifest.version,
      dataDir,
      models,
      usage,
      settings: inEffect,
      grants,
      userKeys: userApiKeys(settings).map(ownerOfKey),
      describeStore: () => store.describe(),
    },
    backups: {
      backups: {
        list: () => listBackups(store.path),
        make: () => store.backUp('manual', new Date()),
        pathOf: (name) => backupPath(store.path, name),
        remove: (name) => removeBackup(store.path, name),
      },
    },
    openAi: { models, tracer, router: routing.router, gate, embeddingTimeoutMs, onUsage: count },
    anthropic: { models, answers },
    ollama: {
      models,
      registry,
      operations,
      onOperation,
      derived: new DerivedModels({ models, operations, onMade: () => models.changed() }),
      answers,
      embeddingTimeoutMs,
      installedAt: (name) => registry.manifest(name)?.installedAt ?? null,
      version: manifest.version,
    },
    mcp: { ...mcp, grants: toolGrants },
    responses: { answers, responses },
    skills: { ...skills, grants },
    mcpEndpoints: {
      parts: {
        models,
        registry,
        operations,
        fit,
        onOperation,
        simple,
        orchestrator,
        keepAlive: settings.LLM_KEEP_ALIVE,
        memory: memory.memory,
        mayDelete: mutationAllowed,
        sessions,
        translator,
        docsDir: join(options.distDir, '..', 'docs'),
        version: manifest.version,
        logger,
      },
      imported: options.importedServers ?? mcp.servers,
      grants: toolGrants,
      limits: { sessions: settings.MCP_MAX_SESSIONS, idleMs: settings.MCP_SESSION_IDLE_SECONDS * 1_000 },
      logger,
    },
    routing: { ...routing, sessions, labelReleases: labels, aiMode: settings.AI_MODE },
    providers: {
      models,
      keys: exit.keys,
      exit: exit.gate,
      resting: (provider) => routing.rest.resting(provider),
      onKeyChanged: (provider) => {
        remote.forget(provider);
        routing.rest.forget(provider);
      },
    },
  });

  const backUp = setInterval(() => {
    const newest = listBackups(store.path).find(({ kind }) => kind === 'daily');
    if (Date.now() - (newest?.createdAt.getTime() ?? 0) < BACKUP_EVERY_MS) return;
    store.backUp('daily', new Date()).catch((error) => logger.warn({ err: error }, 'the daily backup failed'));
  }, BACKUP_DUE_MS);
  backUp.unref();

  const healthChecks = setInterval(() => {
    if (!settings.ENABLE_HEALTH_CHECKS) return;
    void controller.checkAll(HEALTH_EVERY_MS);
    services.snapshot();
  }, HEALTH_EVERY_MS).unref();
  // Who asks for the state of the services waits for no check.
  services.snapshot();
  memory.start();
  if (!settings.VENOM_PAUSE_BACKGROUND_TASKS) retention.start();
  const { resumed, interrupted } = operations.recover();
  if (resumed + interrupted > 0) logger.info({ resumed, interrupted }, 'operations of the former run were taken up');

  await skills.start();
  const left = await orchestrator.recover();
  if (left.queued + left.interrupted > 0) logger.info(left, 'tasks of the former run were taken up');

  store.widenCache();

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
    } finally {
      probes?.wake();
    }
  };

  let closing: Promise<void> | undefined;
  const close = async () => {
    stopping.abort();
    probes?.close();
    clearInterval(backUp);
    clearInterval(healthChecks);
    await Promise.all([turns, orchestrator, gate].map((work) => work.close(FINISH_TURNS_MS)));
    await skills.close();
    await Promise.all([memory.close(), retention.close()]);
    await operations.close();
    await mcp.close();
    hub.close();
    await http.close();
    const { failed } = await models.unloadAll();
    if (failed.length > 0) logger.warn({ failed }, 'some models may still be in memory');
    await models.close();
    await exit.gate.close();
    await controller.close();
    sessions.flush();
    tracer.close();
    await telemetry?.close();
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

/** A cloud that LLM_SERVICE_TYPE or ACTIVE_LLM_SERVER names. */
function configuredCloud(settings: Settings, tiers: Readonly<Record<CloudProvider, { high: string }>>) {
  const named = settings.ACTIVE_LLM_SERVER || settings.LLM_SERVICE_TYPE;
  const provider = CLOUD_PROVIDERS.find((known) => known === (named === 'google-gemini' ? 'google' : named));
  return provider && !settings.FORCE_LOCAL_MODEL
    ? { provider, model: settings.LLM_MODEL_NAME || tiers[provider].high }
    : null;
}

export function createLogger(level: string, fd: number = process.stdout.fd): Logger {
  // The log of a server in the background lies beside its data. A full disk takes its lines, and not the server with them.
  const output = pino.destination({ fd, sync: true, maxLength: LOG_HELD_BYTES });
  output.on('error', () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          '*.authorization',
          '*.headers.authorization',
          '*["x-api-key"]',
          '*.headers["x-api-key"]',
          'headers.cookie',
          '*.apiKey',
          '*.token',
          'err.config',
          'err.details.headers',
        ],
        censor: '***',
      },
    },
    output,
  );
}
