// Part of the composition: which models exist, which one answers, and what is being done to them.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { CloudCatalogs } from '../catalogs/cloud/cloud-catalogs.js';
import { fetchByEnvironment } from '../catalogs/download/ranged-download.js';
import { remoteBytes } from '../catalogs/download/remote-bytes.js';
import { defaultForeignFolders, ForeignModels } from '../catalogs/local-folders/foreign-models.js';
import { StarterModel } from '../catalogs/starter/starter-model.js';
import type { EventSink } from '../chat/ports.js';
import { isLoopback, type Settings } from '../config/config.js';
import type { Metrics } from '../http/metrics.js';
import { toOperation } from '../http/routes/model-shapes.js';
import { toStarter } from '../http/routes/models-starter.js';
import { MachineFileDigests } from '../machine/file-digests.js';
import { isInOwnNetwork } from '../machine/own-network.js';
import { diskOf, MachineUsage } from '../machine/usage-meter.js';
import { Activation } from '../models/activation.js';
import { Adoption } from '../models/adoption.js';
import { Discovery } from '../models/discovery.js';
import { FitAdvisor } from '../models/fit-advisor.js';
import { GenerationOverrides } from '../models/generation-overrides.js';
import { IdleProbes } from '../models/idle-probes.js';
import { ModelManager } from '../models/model-manager.js';
import type { ModelOperation } from '../models/model-operation.js';
import { ModelRegistry } from '../models/model-registry.js';
import { ModelTrials } from '../models/model-trial.js';
import { ModelOperations } from '../models/operations.js';
import { QuietMoments } from '../models/quiet-moments.js';
import { RuntimeSwitch } from '../models/runtime-switch.js';
import { CLOUD_PROVIDERS, type CloudProvider } from '../routing/policy.js';
import { readGguf, readGgufFrom } from '../runtimes/llama-cpp/gguf-check.js';
import { planLoad } from '../runtimes/llama-cpp/memory-estimate.js';
import { SqliteManifests, SqliteOperations, SqliteVersions } from '../storage/sqlite-models.js';
import { modelCatalogs } from './model-catalogs.js';
import type { CloudExit } from './routing.js';
import type { RuntimesRoom } from './runtimes.js';
import type { StorageRoom } from './storage.js';

/** Whoever has just read an answer often asks again. */
const QUIET_MS = 5_000;
const GIB = 1_073_741_824;

export interface ModelsParts {
  storage: StorageRoom;
  runtimes: RuntimesRoom;
  exit: CloudExit;
  modelsDir: string;
  /** Owns what is being done here, until the next start. */
  bootId: string;
  /** Whether a person waits for an answer. */
  somebodyWaits: () => boolean;
  events: EventSink;
  metrics: Metrics;
  logger: Logger;
}

export type ModelsRoom = ReturnType<typeof composeModels>;

export function composeModels(settings: Settings, parts: ModelsParts) {
  const { runtimes, exit, modelsDir, events, metrics, logger } = parts;
  const { store, state } = parts.storage;
  const operationListeners = new Set<(operation: ModelOperation) => void>();
  const operations = new ModelOperations({
    repository: new SqliteOperations(store),
    now: Date.now,
    newId: randomUUID,
    owner: parts.bootId,
    onChange: (operation) => {
      for (const listener of operationListeners) listener(operation);
      events.publish('MODEL_OPERATION', `${operation.type} ${operation.modelName}: ${operation.message}`, {
        ...toOperation(operation),
      });
    },
  });
  const digests = new MachineFileDigests(state);
  const quiet = new QuietMoments({ busy: parts.somebodyWaits, quietMs: QUIET_MS, now: () => performance.now() });
  const activation = new Activation({ versions: new SqliteVersions(store), now: Date.now });
  const overrides = new GenerationOverrides(state.kept, settings.MODEL_GENERATION_OVERRIDES);
  const manager: ModelManager = new ModelManager({
    runtimes: runtimes.runtimes,
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
  const diskLimitBytes = settings.MODELS_DISK_LIMIT_GB * GIB;
  const { catalogs, sources } = modelCatalogs(settings, { modelsDir, digests });
  const registry = new ModelRegistry({
    catalogs,
    sources: [...sources, ...runtimes.sources],
    manifests: new SqliteManifests(store),
    operations,
    now: Date.now,
    disk: () => diskOf(modelsDir),
    diskLimitBytes,
    modelsBytes: async () => (await usage.sample()).modelsBytes,
    inUse: async (name, runtime) => {
      const active = await manager.activeIdentity();
      if (active.model === name && active.provider === runtime) return `${name} is the active model.`;
      return isPinned(name, runtime) ? `${name} is pinned.` : null;
    },
    beforeAdding: () => manager.holdActive(),
    onChanged: () => {
      manager.changed();
      probes?.wake();
    },
  });
  const probes =
    settings.MODEL_AUTO_PROBE && !settings.VENOM_PAUSE_BACKGROUND_TASKS
      ? new IdleProbes({
          untried: () => manager.untried(),
          recordActive: (signal) => manager.recordActive(signal),
          start: (found) => manager.probeQuietly(found),
          settled: (operationId) => operations.settled(operationId),
          quiet,
          memory: state,
          now: Date.now,
          onFailure: (error) => logger.warn({ err: error }, 'models could not be tried; it is done later'),
        })
      : null;
  const isPinned = (model: string, runtime: string) =>
    activation.versions(model).some((version) => version.pinned && version.runtime === runtime);

  const fit = new FitAdvisor({
    models: manager,
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
    memoryLimitBytes: settings.LLAMA_MEMORY_LIMIT_GB * GIB,
  });

  return {
    manager,
    registry,
    operations,
    /** @returns takes the listener away again */
    onOperation(listener: (operation: ModelOperation) => void): () => void {
      operationListeners.add(listener);
      return () => operationListeners.delete(listener);
    },
    activation,
    isPinned,
    overrides,
    probes,
    usage,
    diskLimitBytes,
    fit,
    discovery: new Discovery({
      registry,
      fit,
      isHere: (runtime) => {
        const endpoint = manager.runtime(runtime)?.endpoint ?? null;
        return endpoint === null || isLoopback(new URL(endpoint).hostname);
      },
      now: Date.now,
    }),
    adoption: new Adoption({
      foreign: new ForeignModels(defaultForeignFolders(), modelsDir),
      registry,
      operations,
      digests,
      checkFile: readGguf,
      now: Date.now,
      beforeAdding: () => manager.holdActive(),
      onAdopted: () => {
        manager.changed();
        probes?.wake();
      },
    }),
    starter: new StarterModel({
      modelsDir,
      setting: settings.VENOM_STARTER_MODEL,
      huggingFaceBaseUrl: settings.HF_ENDPOINT,
      huggingFaceToken: settings.HF_TOKEN || undefined,
      onChange: (snapshot) => events.publish('MODEL_STARTER', `Starter model: ${snapshot.state}`, toStarter(snapshot)),
      beforeAdding: () => manager.holdActive(),
      onInstalled: (manifest) => {
        registry.record({ ...manifest, installedAt: Date.now() });
        manager.changed();
        void manager.recordActive().catch((error) => logger.warn({ err: error }, 'the version was not recorded'));
        probes?.wake();
      },
    }),
    switching: new RuntimeSwitch({
      models: manager,
      controller: runtimes.controller,
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
    }),
    /** What clouds say they have. */
    remote: new CloudCatalogs({
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
    }),
  };
}

/** A cloud that LLM_SERVICE_TYPE or ACTIVE_LLM_SERVER names. */
function configuredCloud(settings: Settings, tiers: CloudExit['tiers']) {
  const named = settings.ACTIVE_LLM_SERVER || settings.LLM_SERVICE_TYPE;
  const provider = CLOUD_PROVIDERS.find((known) => known === (named === 'google-gemini' ? 'google' : named));
  return provider && !settings.FORCE_LOCAL_MODEL
    ? { provider, model: settings.LLM_MODEL_NAME || tiers[provider].high }
    : null;
}
