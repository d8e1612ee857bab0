// Ollama's library as a place models are installed from: Ollama itself fetches, keeps and deletes them.
import { DEFAULT_CAPABILITIES, type ModelManifest } from '../../models/manifest.js';
import type { InstallPlan, InstallProgress, ModelSource } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { checkedName, type OllamaClient, sameModel } from './ollama-client.js';

export class OllamaModels implements ModelSource {
  readonly provider = 'ollama';
  readonly #client: OllamaClient;
  readonly #attempts: number;
  readonly #backOffMs: number;

  constructor(client: OllamaClient, { attempts, backOffMs }: { attempts: number; backOffMs: number }) {
    this.#client = client;
    this.#attempts = Math.max(1, attempts);
    this.#backOffMs = backOffMs;
  }

  async plan(modelName: string, runtime: string, signal: AbortSignal): Promise<InstallPlan> {
    checkedName(modelName);
    if (runtime !== 'ollama') throw new AppError('invalid_input', 'Models of the Ollama library run in Ollama.');
    // Only Ollama knows sizes, once it has begun; but whether it is there can be told before.
    await this.#client.version(signal);
    return {
      provider: this.provider,
      modelName,
      runtime,
      revision: null,
      files: [],
      totalBytes: 0,
      licence: null,
      gated: false,
      targetName: null,
    };
  }

  async install(
    { modelName }: InstallPlan,
    onProgress: (progress: InstallProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelManifest> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#client.pull(
          modelName,
          ({ message, receivedBytes, totalBytes }) =>
            onProgress({ step: 'download', message, receivedBytes, totalBytes }),
          signal,
        );
        break;
      } catch (error) {
        if (signal.aborted) throw new AppError('cancelled', 'The installation was cancelled.', { cause: error });
        const again = error instanceof AppError && /^(upstream_|source_unavailable)/.test(error.code);
        if (!again || attempt >= this.#attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, this.#backOffMs * attempt));
      }
    }
    onProgress({ step: 'verify', message: 'Looking at it', receivedBytes: 0, totalBytes: null });
    const tag = (await this.#client.listTags(signal)).find(({ name }) => sameModel(name, modelName));
    if (!tag) throw new AppError('download_failed', `Ollama says it is done, but does not list ${modelName}.`);
    const shown = await this.#client.show(tag.name, signal).catch(() => null);
    const context = Object.entries(shown?.model_info ?? {}).find(([key]) => key.endsWith('.context_length'))?.[1];
    return {
      name: tag.name,
      provider: this.provider,
      displayName: tag.name,
      sizeBytes: tag.size ?? null,
      status: 'installed',
      capabilities: {
        ...DEFAULT_CAPABILITIES,
        supportsFunctionCalling: shown?.capabilities?.includes('tools') ?? false,
        promptTemplate: shown?.template ?? null,
        maxContextLength: typeof context === 'number' ? context : DEFAULT_CAPABILITIES.maxContextLength,
        quantization: tag.details?.quantization_level ?? null,
      },
      localPath: null,
      sha256: tag.digest?.replace(/^sha256:/, '') ?? null,
      installedAt: null,
      runtime: 'ollama',
      source: `ollama:${tag.name}`,
      licence: null,
      owned: true,
      probe: null,
    };
  }

  async remove({ name }: ModelManifest, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.remove(name, signal);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'model_not_found') throw error;
    }
  }
}
