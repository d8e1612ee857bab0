// Part of the composition: the engines beside the embedded one, that the settings name or this machine has, each with the
// way to start it; several addresses of one kind are a pool.
import { fetchByEnvironment } from '../catalogs/download/ranged-download.js';
import { libraryLayers } from '../catalogs/ollama-library/library-manifest.js';
import type { LibraryTag } from '../catalogs/ollama-library/library-pages.js';
import { libraryTags } from '../catalogs/ollama-library/library-tags.js';
import type { Settings } from '../config/config.js';
import { diskOf } from '../machine/usage-meter.js';
import { isCloudHost } from '../models/cloud-hosts.js';
import type { ModelSource } from '../models/ports.js';
import { RememberedListings } from '../models/remembered-listings.js';
import { allowedByProfile } from '../models/runtime-profile.js';
import type { LlmServerDefinition, ServerHealth } from '../runtimes/llm-server-controller.js';
import { OllamaClient } from '../runtimes/ollama/ollama-client.js';
import { ollamaFolder } from '../runtimes/ollama/ollama-disk.js';
import type { OllamaFigures } from '../runtimes/ollama/ollama-figures.js';
import { OllamaModels } from '../runtimes/ollama/ollama-models.js';
import { OllamaRuntime } from '../runtimes/ollama/ollama-runtime.js';
import { OpenAiCompatibleRuntime } from '../runtimes/openai-compatible/openai-compatible-runtime.js';
import { EndpointPool } from '../runtimes/pool/endpoint-pool.js';
import type { MemberRuntime } from '../runtimes/pool/member.js';
import type { Runtime } from '../runtimes/runtime.js';
import { findProgram, toArgumentVector } from '../runtimes/servers/argument-vector.js';
import type { TrafficControl } from '../runtimes/upstream-traffic.js';
import { VllmClient } from '../runtimes/vllm/vllm-client.js';
import { VllmRuntime } from '../runtimes/vllm/vllm-runtime.js';
import { AppError } from '../shared/errors.js';

export interface ServerPlace {
  environment: Readonly<Record<string, string | undefined>>;
  traffic: TrafficControl;
  /** Of all Ollamas together. */
  ollamaFigures: OllamaFigures;
}

export interface ModelServers {
  runtimes: Runtime[];
  definitions: LlmServerDefinition[];
  sources: ModelSource[];
  /** Names of servers that are here and that the profile keeps off. */
  forbidden: string[];
}

/** An installation need not know every tag. */
const LIBRARY_TAGS_MS = 3_000;
const DEFAULT_OLLAMA = 'http://127.0.0.1:11434';

/** Context, parallel requests, queue and cache that the original's profiles stand for. */
const PROFILES: Readonly<Record<string, { context: number; parallel: number; queue: number; cache: string }>> = {
  'balanced-12-24gb': { context: 32_768, parallel: 2, queue: 256, cache: 'q8_0' },
  'low-vram-8-12gb': { context: 16_384, parallel: 1, queue: 128, cache: 'q4_0' },
  'max-context-24gb-plus': { context: 65_536, parallel: 1, queue: 128, cache: 'q8_0' },
};

/** @throws AppError `invalid_settings` when an engine that counts as local is a cloud */
export function modelServers(settings: Settings, place: ServerPlace): ModelServers {
  refuseClouds(settings);
  const servers: ModelServers = { runtimes: [], definitions: [], sources: [], forbidden: [] };
  const local = Map.groupBy(settings.LLM_LOCAL_ENDPOINT, (endpoint) => kindOf(endpoint, settings.ACTIVE_LLM_SERVER));
  const path = place.environment['PATH'];
  const base = settings.OLLAMA_BASE_URL ? [settings.OLLAMA_BASE_URL] : [];
  const ollamaNamed =
    [settings.OLLAMA_ENDPOINT, base, local.get('ollama') ?? []].find(({ length }) => length > 0) ?? [];
  const vllmNamed = unique([...settings.VLLM_ENDPOINT, ...(local.get('vllm') ?? [])], withVersion);
  const llamaNamed = unique(settings.LLAMA_SERVER_ENDPOINT, withVersion);
  // The first that has a name answers for it.
  const candidates = [
    { name: 'ollama', named: ollamaNamed, program: findProgram('ollama', path), add: addOllama },
    { name: 'openai-compatible', named: local.get('openai-compatible') ?? [], program: null, add: addCompatible },
    { name: 'vllm', named: vllmNamed, program: findProgram('vllm', path), add: addVllm },
    { name: 'llama-cpp-server', named: llamaNamed, program: findProgram('llama-server', path), add: addLlamaServer },
  ];
  for (const { name, named, program, add } of candidates) {
    const asked = named.length > 0 || (name === 'llama-cpp-server' && settings.LLAMA_SERVER_COMMAND !== '');
    if (!asked && program === null) continue;
    if (allowedByProfile(settings.VENOM_RUNTIME_PROFILE, name, asked)) add(servers, settings, place, named, program);
    else servers.forbidden.push(name);
  }
  return servers;
}

function refuseClouds(settings: Settings): void {
  const { LLM_LOCAL_ENDPOINT, VLLM_ENDPOINT, OLLAMA_ENDPOINT, OLLAMA_BASE_URL, LLAMA_SERVER_ENDPOINT } = settings;
  const named = { LLM_LOCAL_ENDPOINT, VLLM_ENDPOINT, OLLAMA_ENDPOINT, OLLAMA_BASE_URL, LLAMA_SERVER_ENDPOINT };
  for (const [name, addresses] of Object.entries(named))
    for (const address of typeof addresses === 'string' ? [addresses] : addresses)
      if (isCloudHost(address))
        throw new AppError(
          'invalid_settings',
          `Settings are wrong:\n  ${name}: ${new URL(address).hostname} is a cloud; set its key or CLOUD_COMPATIBLE_ENDPOINT instead`,
        );
}

type Add = (
  servers: ModelServers,
  settings: Settings,
  place: ServerPlace,
  named: readonly string[],
  program: string | null,
) => void;

const addOllama: Add = (servers, settings, place, named, program) => {
  const addresses = unique(named.length > 0 ? named : [DEFAULT_OLLAMA], withoutVersion);
  const first = addresses[0] as string;
  const clients = addresses.map(
    (baseUrl) =>
      new OllamaClient({
        baseUrl,
        ...timeouts(settings),
        cliPath: program,
        traffic: place.traffic.scope(`ollama@${baseUrl}`, {
          ...retry(addresses),
          backOffMs: settings.OLLAMA_RETRY_BACKOFF_SECONDS * 1_000,
          ...(addresses.length === 1 ? { attempts: Math.max(1, settings.OLLAMA_RETRY_MAX_ATTEMPTS) } : {}),
          // A runner that crashed answers 500, and is started anew by the next question.
          statuses: [429, 500, 502, 503, 504],
        }),
      }),
  );
  const profile = PROFILES[settings.VENOM_OLLAMA_PROFILE] ?? PROFILES['balanced-12-24gb'];
  const runtime = pooled(
    settings,
    clients.map(
      (client) =>
        new OllamaRuntime({
          client,
          optional: named.length === 0,
          figures: place.ollamaFigures,
          keepAlive: settings.LLM_KEEP_ALIVE,
          options: settings.OLLAMA_CONTEXT_LENGTH > 0 ? { num_ctx: settings.OLLAMA_CONTEXT_LENGTH } : {},
        }),
    ),
  );
  servers.runtimes.push(runtime);
  servers.sources.push(
    new OllamaModels(clients, {
      attempts: settings.OLLAMA_RETRY_MAX_ATTEMPTS,
      backOffMs: settings.OLLAMA_RETRY_BACKOFF_SECONDS * 1_000,
      foresight: {
        folderOf: (baseUrl) => ollamaFolder(baseUrl, place.environment['OLLAMA_MODELS']),
        diskOf,
        layersOf: async (name, signal) =>
          settings.OLLAMA_REGISTRY_ENDPOINT === ''
            ? null
            : libraryLayers({ baseUrl: settings.OLLAMA_REGISTRY_ENDPOINT, fetch: fetchByEnvironment }, name, signal),
        tagsOf: libraryTagsOf(settings),
      },
    }),
  );
  servers.definitions.push({
    name: 'ollama',
    displayName: 'Ollama',
    description: 'Model server with its own library',
    provider: 'ollama',
    endpoint: `${first}/v1`,
    healthUrl: settings.OLLAMA_HEALTH_URL || `${first}/api/tags`,
    ...poolProbe(runtime),
    commands: {
      start: toArgumentVector(settings.OLLAMA_START_COMMAND),
      stop: toArgumentVector(settings.OLLAMA_STOP_COMMAND),
      restart: toArgumentVector(settings.OLLAMA_RESTART_COMMAND),
    },
    program: program ? [program, 'serve'] : null,
    ...unit(settings.OLLAMA_SYSTEMD_UNIT, settings.OLLAMA_SYSTEMD_SCOPE),
    environment: {
      OLLAMA_HOST: new URL(first).host,
      OLLAMA_NUM_PARALLEL: String(settings.OLLAMA_NUM_PARALLEL || profile?.parallel || 2),
      OLLAMA_MAX_QUEUE: String(settings.OLLAMA_MAX_QUEUE || profile?.queue || 256),
      OLLAMA_KV_CACHE_TYPE: settings.OLLAMA_KV_CACHE_TYPE || profile?.cache || 'q8_0',
      OLLAMA_FLASH_ATTENTION: settings.OLLAMA_FLASH_ATTENTION ? '1' : '0',
      ...(place.environment['OLLAMA_MODELS'] ? { OLLAMA_MODELS: place.environment['OLLAMA_MODELS'] } : {}),
    },
  });
};

/** Each model's are asked for once in a while, however often somebody turns them over. */
function libraryTagsOf(settings: Settings): (name: string) => Promise<LibraryTag[]> {
  const remembered = new RememberedListings<LibraryTag>(Date.now);
  const places = {
    libraryUrl: settings.OLLAMA_LIBRARY_ENDPOINT,
    registryUrl: settings.OLLAMA_REGISTRY_ENDPOINT,
    fetch: fetchByEnvironment,
  };
  return async (name) => {
    const { items } = await remembered.get({
      key: name,
      place: 'The Ollama library',
      ask: async (signal) => {
        const tags = await libraryTags(places, name, signal);
        if (tags === null) throw new AppError('source_unavailable', `Nobody says which tags ${name} has.`);
        return tags;
      },
      waitMs: LIBRARY_TAGS_MS,
    });
    return items;
  };
}

const addVllm: Add = (servers, settings, place, named, program) => {
  const endpoints = named.length > 0 ? named : [`http://${settings.VLLM_HOST}:${settings.VLLM_PORT}/v1`];
  const endpoint = endpoints[0] as string;
  const runtime = pooled(
    settings,
    endpoints.map(
      (address) =>
        new VllmRuntime(
          new VllmClient({
            endpoint: address,
            apiKey: settings.LLM_LOCAL_API_KEY,
            ...timeouts(settings),
            traffic: place.traffic.scope(`vllm@${address}`, retry(endpoints)),
          }),
          { optional: named.length === 0 },
        ),
    ),
  );
  servers.runtimes.push(runtime);
  servers.definitions.push({
    name: 'vllm',
    displayName: 'vLLM',
    description: 'Model server for GPUs',
    provider: 'vllm',
    endpoint,
    healthUrl: `${endpoint}/models`,
    // By the engine itself, which has the key and knows what an answer is.
    ...healthProbe(runtime),
    commands: {
      start: toArgumentVector(settings.VLLM_START_COMMAND),
      stop: toArgumentVector(settings.VLLM_STOP_COMMAND),
      restart: toArgumentVector(settings.VLLM_RESTART_COMMAND),
    },
    program: program ? vllmProgram(program, settings) : null,
    ...unit(settings.VLLM_SYSTEMD_UNIT, settings.VLLM_SYSTEMD_SCOPE),
    environment: {},
  });
};

const addLlamaServer: Add = (servers, settings, place, named, program) => {
  const endpoints = named.length > 0 ? named : [`http://127.0.0.1:${settings.LLAMA_SERVER_PORT}/v1`];
  const endpoint = endpoints[0] as string;
  const command = toArgumentVector(settings.LLAMA_SERVER_COMMAND);
  const startable = command ?? (program ? llamaServerProgram(program, settings) : null);
  const runtime = pooled(settings, compatible(settings, place, 'llama-cpp-server', endpoints, named.length === 0));
  if (named.length > 0 || startable) servers.runtimes.push(runtime);
  servers.definitions.push({
    name: 'llama-cpp-server',
    displayName: 'llama.cpp server',
    description: "llama.cpp's own server for GGUF models",
    provider: 'llama-cpp-server',
    endpoint,
    healthUrl: `${endpoint.replace(/\/v1$/, '')}/health`,
    ...poolProbe(runtime),
    commands: { start: null, stop: null, restart: null },
    program: startable,
    environment: {},
  });
};

const addCompatible: Add = (servers, settings, place, named) => {
  const runtime = pooled(settings, compatible(settings, place, 'openai-compatible', named));
  const endpoint = named[0] as string;
  servers.runtimes.push(runtime);
  servers.definitions.push({
    name: 'openai-compatible',
    displayName: 'OpenAI-compatible server',
    description: 'A model server that somebody else looks after',
    provider: 'openai-compatible',
    endpoint,
    healthUrl: `${endpoint.replace(/\/+$/, '')}/models`,
    // By the engine itself, which has the key.
    ...healthProbe(runtime),
    commands: { start: null, stop: null, restart: null },
    program: null,
    environment: {},
  });
};

function compatible(
  settings: Settings,
  { traffic }: ServerPlace,
  provider: string,
  endpoints: readonly string[],
  optional = false,
): OpenAiCompatibleRuntime[] {
  return endpoints.map(
    (endpoint) =>
      new OpenAiCompatibleRuntime({
        ...timeouts(settings),
        apiKey: settings.LLM_LOCAL_API_KEY,
        provider,
        endpoint,
        optional,
        traffic: traffic.scope(`${provider}@${endpoint}`, retry(endpoints)),
      }),
  );
}

const pooled = (settings: Settings, members: readonly MemberRuntime[]): Runtime =>
  members.length === 1
    ? (members[0] as Runtime)
    : new EndpointPool({
        members,
        backOffMs: settings.POOL_BACKOFF_SECONDS * 1_000,
        patienceMs: settings.POOL_PATIENCE_SECONDS * 1_000,
      });

/** A pool is well when all of it is, and serves while one of it does. */
const poolProbe = (runtime: Runtime): Pick<LlmServerDefinition, 'probe'> => (runtime.pool ? healthProbe(runtime) : {});

function healthProbe(runtime: Runtime): Pick<LlmServerDefinition, 'probe'> {
  return {
    probe: async (signal): Promise<Omit<ServerHealth, 'at'>> => {
      const { state, latencyMs, error } = await runtime.health(signal);
      return { status: state === 'ready' ? 'online' : state, latencyMs, error };
    },
  };
}

const timeouts = (settings: Settings) => ({
  connectTimeoutMs: settings.UPSTREAM_CONNECT_TIMEOUT_SECONDS * 1_000,
  idleTimeoutMs: settings.UPSTREAM_IDLE_TIMEOUT_SECONDS * 1_000,
  embeddingTimeoutMs: settings.UPSTREAM_EMBEDDING_TIMEOUT_SECONDS * 1_000,
});

/** In a pool the next member is asked, not the same one again. */
const retry = (addresses: readonly string[]) => (addresses.length > 1 ? { attempts: 1 } : {});

const unit = (name: string, scope: 'system' | 'user'): Pick<LlmServerDefinition, 'systemd'> =>
  name ? { systemd: { unit: name, scope } } : {};

const withoutVersion = (address: string): string => address.replace(/\/+$/, '').replace(/\/v1$/, '');
const withVersion = (address: string): string => `${withoutVersion(address)}/v1`;
const unique = (addresses: readonly string[], form: (address: string) => string): string[] => [
  ...new Set(addresses.map(form)),
];

/** Which engine stands behind an address; by port and host name, because asking at start would wait for it. */
function kindOf(endpoint: string, activeServer: string): 'ollama' | 'vllm' | 'openai-compatible' {
  const { port, hostname } = new URL(endpoint);
  if (port === '11434' || hostname.includes('ollama') || activeServer === 'ollama') return 'ollama';
  return hostname.includes('vllm') || activeServer === 'vllm' ? 'vllm' : 'openai-compatible';
}

function vllmProgram(program: string, settings: Settings): string[] {
  const flag = (name: string, value: string | number) => (value ? [name, String(value)] : []);
  return [
    program,
    'serve',
    settings.VLLM_MODEL_PATH,
    '--host',
    settings.VLLM_HOST,
    '--port',
    String(settings.VLLM_PORT),
    ...flag('--gpu-memory-utilization', settings.VLLM_GPU_MEMORY_UTILIZATION),
    ...flag('--max-num-batched-tokens', settings.VLLM_MAX_BATCHED_TOKENS),
    ...flag('--max-model-len', settings.VLLM_MAX_MODEL_LEN),
    ...flag('--max-num-seqs', settings.VLLM_MAX_NUM_SEQS),
    ...flag('--served-model-name', settings.VLLM_SERVED_MODEL_NAME),
    ...flag('--chat-template', settings.VLLM_CHAT_TEMPLATE),
    ...(settings.VLLM_ENFORCE_EAGER ? ['--enforce-eager'] : []),
  ];
}

/** Null without a model: which one it should serve is for a person to say. */
function llamaServerProgram(program: string, settings: Settings): string[] | null {
  const model = settings.LLAMA_SERVER_MODEL_PATH;
  if (!model) return null;
  return [
    program,
    ...(/\.gguf$/i.test(model) ? ['--model', model] : ['--models-dir', model]),
    '--host',
    '127.0.0.1',
    '--port',
    String(settings.LLAMA_SERVER_PORT),
    ...(settings.LLAMA_CONTEXT_LENGTH > 0 ? ['--ctx-size', String(settings.LLAMA_CONTEXT_LENGTH)] : []),
    '--metrics',
  ];
}
