// Part of the composition: the engines and catalogues that the settings name or this machine has.

import { BandwidthLimit } from './catalogs/download/bandwidth-limit.js';
import { fetchByEnvironment } from './catalogs/download/ranged-download.js';
import { HuggingFaceClient } from './catalogs/hugging-face/hugging-face-client.js';
import { HuggingFaceModels } from './catalogs/hugging-face/hugging-face-models.js';
import { OllamaLibraryClient } from './catalogs/ollama-library/ollama-library-client.js';
import type { Settings } from './config/config.js';
import type { ModelCatalog, ModelSource } from './models/ports.js';
import { readGguf } from './runtimes/llama-cpp/gguf-check.js';
import { findProgram, type LlmServerDefinition, toArgumentVector } from './runtimes/llm-server-controller.js';
import { OllamaClient } from './runtimes/ollama/ollama-client.js';
import { OllamaModels } from './runtimes/ollama/ollama-models.js';
import { OllamaRuntime } from './runtimes/ollama/ollama-runtime.js';
import { OpenAiCompatibleRuntime } from './runtimes/openai-compatible/openai-compatible-runtime.js';
import type { Runtime } from './runtimes/runtime.js';

interface Place {
  modelsDir: string;
  environment: Readonly<Record<string, string | undefined>>;
}

export interface ModelServers {
  runtimes: Runtime[];
  definitions: LlmServerDefinition[];
  catalogs: ModelCatalog[];
  sources: ModelSource[];
}

const DEFAULT_OLLAMA = 'http://127.0.0.1:11434';

/** Context, parallel requests, queue and cache that the original's profiles stand for. */
const PROFILES: Readonly<Record<string, { context: number; parallel: number; queue: number; cache: string }>> = {
  'balanced-12-24gb': { context: 32_768, parallel: 2, queue: 256, cache: 'q8_0' },
  'low-vram-8-12gb': { context: 16_384, parallel: 1, queue: 128, cache: 'q4_0' },
  'max-context-24gb-plus': { context: 65_536, parallel: 1, queue: 128, cache: 'q8_0' },
};

export function modelServers(settings: Settings, place: Place): ModelServers {
  const timeouts = {
    connectTimeoutMs: settings.UPSTREAM_CONNECT_TIMEOUT_SECONDS * 1_000,
    idleTimeoutMs: settings.UPSTREAM_IDLE_TIMEOUT_SECONDS * 1_000,
  };
  const servers: ModelServers = { runtimes: [], definitions: [], catalogs: [], sources: [] };
  const path = place.environment['PATH'];
  const huggingFace = new HuggingFaceClient({
    baseUrl: settings.HF_ENDPOINT,
    token: settings.HF_TOKEN || undefined,
    summaryChars: settings.NEWS_SUMMARY_MAX_CHARS,
    fetch: fetchByEnvironment,
  });
  servers.catalogs.push(
    huggingFace,
    new OllamaLibraryClient({ baseUrl: settings.OLLAMA_LIBRARY_ENDPOINT, fetch: fetchByEnvironment }),
  );
  servers.sources.push(
    new HuggingFaceModels({
      client: huggingFace,
      modelsDir: place.modelsDir,
      checkGguf: readGguf,
      fetch: fetchByEnvironment,
      limit: new BandwidthLimit(settings.DOWNLOAD_BYTES_PER_SECOND),
    }),
  );

  const local = settings.LLM_LOCAL_ENDPOINT;
  const named =
    settings.OLLAMA_ENDPOINT || settings.OLLAMA_BASE_URL || (isOllama(local, settings.ACTIVE_LLM_SERVER) ? local : '');
  const program = findProgram('ollama', path);
  if (named || program) {
    const baseUrl = (named || DEFAULT_OLLAMA).replace(/\/+$/, '').replace(/\/v1$/, '');
    const client = new OllamaClient({ baseUrl, ...timeouts, cliPath: program });
    const profile = PROFILES[settings.VENOM_OLLAMA_PROFILE] ?? PROFILES['balanced-12-24gb'];
    servers.runtimes.push(
      new OllamaRuntime({
        client,
        optional: named === '',
        keepAlive: settings.LLM_KEEP_ALIVE,
        options: settings.OLLAMA_CONTEXT_LENGTH > 0 ? { num_ctx: settings.OLLAMA_CONTEXT_LENGTH } : {},
      }),
    );
    servers.sources.push(
      new OllamaModels(client, {
        attempts: settings.OLLAMA_RETRY_MAX_ATTEMPTS,
        backOffMs: settings.OLLAMA_RETRY_BACKOFF_SECONDS * 1_000,
      }),
    );
    servers.definitions.push({
      name: 'ollama',
      displayName: 'Ollama',
      description: 'Model server with its own library',
      provider: 'ollama',
      endpoint: `${baseUrl}/v1`,
      healthUrl: settings.OLLAMA_HEALTH_URL || `${baseUrl}/api/tags`,
      commands: {
        start: toArgumentVector(settings.OLLAMA_START_COMMAND) ?? (program ? [program, 'serve'] : null),
        stop: toArgumentVector(settings.OLLAMA_STOP_COMMAND),
        restart: toArgumentVector(settings.OLLAMA_RESTART_COMMAND),
      },
      environment: {
        OLLAMA_HOST: new URL(baseUrl).host,
        OLLAMA_NUM_PARALLEL: String(settings.OLLAMA_NUM_PARALLEL || profile?.parallel || 2),
        OLLAMA_MAX_QUEUE: String(settings.OLLAMA_MAX_QUEUE || profile?.queue || 256),
        OLLAMA_KV_CACHE_TYPE: settings.OLLAMA_KV_CACHE_TYPE || profile?.cache || 'q8_0',
        OLLAMA_FLASH_ATTENTION: settings.OLLAMA_FLASH_ATTENTION ? '1' : '0',
        ...(place.environment['OLLAMA_MODELS'] ? { OLLAMA_MODELS: place.environment['OLLAMA_MODELS'] } : {}),
      },
    });
  }
  if (local && !isOllama(local, settings.ACTIVE_LLM_SERVER))
    servers.runtimes.push(
      new OpenAiCompatibleRuntime({
        ...timeouts,
        apiKey: settings.LLM_LOCAL_API_KEY,
        provider: 'openai-compatible',
        endpoint: local,
      }),
    );

  const vllm = findProgram('vllm', path);
  if (settings.VLLM_ENDPOINT || vllm) {
    const endpoint = settings.VLLM_ENDPOINT || `http://${settings.VLLM_HOST}:${settings.VLLM_PORT}/v1`;
    if (settings.VLLM_ENDPOINT)
      servers.runtimes.push(
        new OpenAiCompatibleRuntime({ ...timeouts, apiKey: settings.LLM_LOCAL_API_KEY, provider: 'vllm', endpoint }),
      );
    servers.definitions.push({
      name: 'vllm',
      displayName: 'vLLM',
      description: 'Model server for GPUs',
      provider: 'vllm',
      endpoint,
      healthUrl: `${endpoint.replace(/\/+$/, '')}/models`,
      commands: {
        start: toArgumentVector(settings.VLLM_START_COMMAND) ?? (vllm ? vllmCommand(vllm, settings) : null),
        stop: toArgumentVector(settings.VLLM_STOP_COMMAND),
        restart: toArgumentVector(settings.VLLM_RESTART_COMMAND),
      },
      environment: {},
    });
  }
  return servers;
}

function isOllama(endpoint: string, activeServer: string): boolean {
  if (!endpoint) return false;
  const { port, hostname } = new URL(endpoint);
  return port === '11434' || hostname.includes('ollama') || activeServer === 'ollama';
}

function vllmCommand(program: string, settings: Settings): string[] {
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
