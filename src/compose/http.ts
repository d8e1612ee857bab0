// Part of the composition: what each room has for the routes.
import { join } from 'node:path';
import type { Logger } from 'pino';
import manifest from '../../package.json' with { type: 'json' };
import { type LoadedSettings, userApiKeys } from '../config/config.js';
import { type AnswerGate, CompatibleAnswers } from '../http/compatible/answers.js';
import { ownerOfKey } from '../http/guard.js';
import { switchPolicy } from '../http/routes/switch-policy.js';
import { createServer } from '../http/server.js';
import { UserGrants } from '../http/user-grants.js';
import { DerivedModels } from '../models/derived-models.js';
import type { TrafficControl } from '../runtimes/upstream-traffic.js';
import type { ImportedServers } from '../skills/mcp/ports.js';
import type { ToolGrants } from '../skills/tool-grants.js';
import type { ChatRoom } from './chat.js';
import type { McpRoom } from './mcp.js';
import type { ModelsRoom } from './models.js';
import type { ObservationRoom } from './observation.js';
import type { CloudExit, RoutingRoom } from './routing.js';
import type { RuntimesRoom } from './runtimes.js';
import type { SkillsRoom } from './skills.js';
import type { StorageRoom } from './storage.js';
import { councilBounds, type TasksRoom } from './tasks.js';

export interface HttpParts {
  loaded: LoadedSettings;
  bootId: string;
  distDir: string;
  storage: StorageRoom;
  observation: ObservationRoom;
  exit: CloudExit;
  traffic: TrafficControl;
  runtimes: RuntimesRoom;
  models: ModelsRoom;
  routing: RoutingRoom;
  chat: ChatRoom;
  tasks: TasksRoom;
  skills: SkillsRoom;
  mcp: McpRoom;
  /** Replaces the imported MCP servers behind the gateway; for tests. */
  importedServers: ImportedServers | undefined;
  toolGrants: ToolGrants;
  gate: AnswerGate;
  logger: Logger;
}

export function composeHttp(parts: HttpParts) {
  const { exit, traffic, runtimes, models, mcp, skills, gate, toolGrants, logger } = parts;
  const { settings, inEffect } = parts.loaded;
  const { store, labels, pictures, goals, responses, backups } = parts.storage;
  const { hub, tracer, metrics, counters, count } = parts.observation;
  const { manager, registry, operations, onOperation, activation, adoption, fit, discovery, overrides, switching } =
    models;
  const { remote, usage, diskLimitBytes, starter } = models;
  const { router, policy: policies, budgets, rest } = parts.routing;
  const { sessions, simple, translator, memory, sessionLabels, sessionCopies, learned } = parts.chat;
  const { orchestrator, services } = parts.tasks;
  const { version } = manifest;
  const embeddingTimeoutMs = settings.UPSTREAM_EMBEDDING_TIMEOUT_SECONDS * 1_000;
  const policy = switchPolicy(settings.VENOM_RUNTIME_SWITCH_TOKEN);
  const grants = new UserGrants(
    { approveTools: settings.USER_KEYS_APPROVE_TOOLS, callTools: settings.USER_KEYS_CALL_TOOLS },
    toolGrants,
  );
  const installedAt = (name: string) => registry.manifest(name)?.installedAt ?? null;
  const answers = new CompatibleAnswers({
    target: (model, text, images) =>
      router.route({ text, model, images, mode: 'direct', taskType: 'CHAT', sessionId: null, labels: [] }),
    abilities: (name, provider) => manager.abilities(name, provider),
    tracer,
    gate,
    onUsage: count,
    onOutcome: (target, failure) => manager.outcome(target.model, failure),
  });
  return createServer({
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
    webDir: join(parts.distDir, 'web'),
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
    queue: { mutationAllowed: memory.mayDelete },
    services,
    counters: {
      counters,
      defaultCostModel: settings.DEFAULT_COST_MODEL,
      generationParamUpdates: () => overrides.updates,
      ollama: runtimes.ollamaFigures,
    },
    keepAlive: settings.LLM_KEEP_ALIVE,
    sessionPictures: pictures,
    memory: { ...memory, sessions, ttlDays: settings.SESSION_TTL_DAYS },
    sessionLabels,
    sessionCopies,
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
      models: manager,
      registry,
      operations,
      activation,
      adoption,
      fit,
      discovery,
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
      models: manager,
      controller: runtimes.controller,
      traffic,
      profile: settings.VENOM_RUNTIME_PROFILE,
      forbidden: runtimes.forbidden,
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
      bootId: parts.bootId,
      version,
      dataDir: settings.VENOM_DATA_DIR,
      models: manager,
      usage,
      settings: inEffect,
      grants,
      userKeys: userApiKeys(settings).map(ownerOfKey),
      describeStore: () => store.describe(),
    },
    backups: { backups },
    openAi: { models: manager, tracer, router, gate, embeddingTimeoutMs, installedAt, onUsage: count },
    anthropic: { models: manager, answers },
    ollama: {
      models: manager,
      registry,
      operations,
      onOperation,
      derived: new DerivedModels({ models: manager, operations, onMade: () => manager.changed() }),
      answers,
      embeddingTimeoutMs,
      installedAt,
      version,
    },
    mcp: { ...mcp, grants: toolGrants },
    responses: { models: manager, answers, responses },
    skills: { ...skills, grants },
    mcpEndpoints: {
      parts: {
        models: manager,
        registry,
        operations,
        fit,
        onOperation,
        simple,
        orchestrator,
        keepAlive: settings.LLM_KEEP_ALIVE,
        memory: memory.memory,
        mayDelete: memory.mayDelete,
        sessions,
        translator,
        docsDir: join(parts.distDir, '..', 'docs'),
        version,
        logger,
      },
      imported: parts.importedServers ?? mcp.servers,
      grants: toolGrants,
      limits: { sessions: settings.MCP_MAX_SESSIONS, idleMs: settings.MCP_SESSION_IDLE_SECONDS * 1_000 },
      logger,
    },
    routing: { router, policy: policies, budgets, sessions, labelReleases: labels, aiMode: settings.AI_MODE },
    providers: {
      models: manager,
      keys: exit.keys,
      exit: exit.gate,
      resting: (provider) => rest.resting(provider),
      onKeyChanged: (provider) => {
        remote.forget(provider);
        rest.forget(provider);
      },
    },
  });
}
