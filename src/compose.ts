// The order in which the rooms are put together, and the life of the whole: start, prepare, close.
// What each room is made of stands in compose/, one file per room. Plain `new`; nothing else imports everything.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { LiveTurns } from './chat/turns/live-turns.js';
import { type ChatRoom, composeChat } from './compose/chat.js';
import { healthChecks } from './compose/health-checks.js';
import { composeHttp } from './compose/http.js';
import { createLogger } from './compose/logger.js';
import { composeMcp } from './compose/mcp.js';
import { composeModels, type ModelsRoom } from './compose/models.js';
import { composeObservation } from './compose/observation.js';
import { cloudExit, composeRouting } from './compose/routing.js';
import { composeRuntimes, upstreamTraffic } from './compose/runtimes.js';
import { composeSkills } from './compose/skills.js';
import { composeStorage } from './compose/storage.js';
import { composeTasks, type TasksRoom } from './compose/tasks.js';
import type { LoadedSettings } from './config/config.js';
import { AnswerGate } from './http/compatible/answers.js';
import { ownAddress } from './http/own-address.js';
import type { Runtime } from './runtimes/runtime.js';
import type { ImportedServers } from './skills/mcp/ports.js';
import { ToolGrants } from './skills/tool-grants.js';
import { makeDataFolder } from './storage/data-folder.js';

const FINISH_TURNS_MS = 8_000;

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

/** @throws AppError `store_locked`, `store_newer`, `store_corrupt`, `store_unavailable`, `invalid_settings` */
export async function compose(loaded: LoadedSettings, options: ComposeOptions): Promise<Composed> {
  const { settings } = loaded;
  const { distDir, environment = {} } = options;
  const modelsDir = join(settings.VENOM_DATA_DIR, 'models');
  makeDataFolder(modelsDir);
  const logger = options.logger ?? createLogger(settings.VENOM_LOG_LEVEL);
  const bootId = settings.VENOM_BOOT_ID || randomUUID().replaceAll('-', '');

  // What is being answered. Rooms that are put together early ask for it later, when all of it is there.
  const turns = new LiveTurns(settings.MAX_CONCURRENT_STREAMS);
  const gate = new AnswerGate(settings.MAX_CONCURRENT_STREAMS);
  const isAlive = (id: string): boolean => turns.get(id) !== undefined || tasks.orchestrator.isLive(id) || gate.has(id);
  const somebodyWaits = (): boolean => turns.size > 0 || tasks.orchestrator.queue.active > 0 || gate.size > 0;

  const storage = composeStorage(settings, logger);
  const toolGrants = new ToolGrants(settings.USER_KEYS_MCP_SERVERS);
  const traffic = upstreamTraffic(settings);
  const observation = await composeObservation(settings, {
    storage,
    grants: toolGrants,
    traffic,
    ownerOfTask: (id) => tasks.orchestrator.ownerOf(id),
    isAlive,
    liveTurns: () => turns.size,
    answer: (requestId) => chat.sessions.answer(requestId),
    logger,
  });
  const { hub: events, metrics } = observation;
  const exit = await cloudExit(settings, logger);
  const runtimes = composeRuntimes(settings, {
    instead: options.runtimes,
    distDir,
    modelsDir,
    environment,
    traffic,
    state: storage.state,
    events,
    isPinned: (model, runtime) => models.isPinned(model, runtime),
    logger,
  });
  const models: ModelsRoom = composeModels(settings, {
    storage,
    runtimes,
    exit,
    modelsDir,
    bootId,
    somebodyWaits,
    events,
    metrics,
    logger,
  });
  // What this machine can isolate is tried while the rest is put together.
  const mcpStarting = composeMcp(settings, {
    store: storage.store,
    operations: models.operations,
    environment,
    version: manifest.version,
    logger,
    onChange: (server) => events.publish('MCP_SERVER', `MCP server ${server} changed.`, { name: server }),
    ownAddress: () => ownAddress(settings, http.server.address()),
  });
  const routing = await composeRouting(settings, { exit, storage, models: models.manager, events, logger });
  const chat: ChatRoom = composeChat(settings, {
    storage,
    observation,
    exit,
    models: models.manager,
    routing,
    turns,
    orchestrator: () => tasks.orchestrator,
    somebodyWaits,
    bootId,
    distDir,
    logger,
  });
  const mcp = await mcpStarting;
  const skills = composeSkills(settings, {
    storage,
    observation,
    models: models.manager,
    chat,
    routing,
    mcp,
    tasks: () => tasks,
    searchPath: environment['PATH'],
    grants: toolGrants,
    logger,
  });
  const tasks: TasksRoom = composeTasks(settings, {
    storage,
    observation,
    exit,
    models: models.manager,
    routing,
    chat,
    skills,
    logger,
  });
  const http: FastifyInstance = await composeHttp({
    loaded,
    bootId,
    distDir,
    storage,
    observation,
    exit,
    traffic,
    runtimes,
    models,
    routing,
    chat,
    tasks,
    skills,
    mcp,
    importedServers: options.importedServers,
    toolGrants,
    gate,
    logger,
  });

  storage.dailyBackups.start();
  const health = healthChecks(settings, runtimes.controller, tasks.services);
  health.start();
  chat.memory.start();
  if (!settings.VENOM_PAUSE_BACKGROUND_TASKS) storage.retention.start();
  const { resumed, interrupted } = models.operations.recover();
  if (resumed + interrupted > 0) logger.info({ resumed, interrupted }, 'operations of the former run were taken up');
  await skills.start();
  const left = await tasks.orchestrator.recover();
  if (left.queued + left.interrupted > 0) logger.info(left, 'tasks of the former run were taken up');
  storage.store.widenCache();

  const stopping = new AbortController();
  const prepare = async () => {
    const { starter, manager, probes } = models;
    try {
      if (starter.state.state === 'absent' && (await manager.activeModel()) === null) await starter.install();
      if (!settings.LLM_WARMUP_ON_STARTUP) return;
      await manager.warmUp({
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
    // Nothing new begins …
    stopping.abort();
    models.probes?.close();
    storage.dailyBackups.close();
    health.close();
    // … who is being answered gets a moment …
    await Promise.all([turns, tasks.orchestrator, gate].map((work) => work.close(FINISH_TURNS_MS)));
    await skills.close();
    await Promise.all([chat.memory.close(), storage.retention.close()]);
    await models.operations.close();
    await mcp.close();
    events.close();
    await http.close();
    // … the engines let go …
    const { failed } = await models.manager.unloadAll();
    if (failed.length > 0) logger.warn({ failed }, 'some models may still be in memory');
    await models.manager.close();
    await exit.gate.close();
    await runtimes.controller.close();
    // … and what was told is on disk before the file is closed.
    chat.sessions.flush();
    observation.tracer.close();
    await observation.telemetry?.close();
    storage.close();
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
