// Ollama's library as a place models are installed from: Ollama itself fetches, keeps and deletes them. Of a pool every
// member gets the model, so that any of them can answer.
import { DEFAULT_CAPABILITIES, type ModelManifest } from '../../models/manifest.js';
import type { InstallPlan, InstallProgress, ModelDisk, ModelSource } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { checkedName, type OllamaClient, type OllamaProgress, type OllamaTag, sameModel } from './ollama-client.js';
import { missingBytes } from './ollama-disk.js';

/** A registry that is slow to say how large a model is must not keep the model from being fetched. */
const LAYERS_MS = 4_000;

/** What can be told before a pull. */
export interface OllamaForesight {
  /** Where an Ollama keeps its weights; null on another machine. */
  folderOf: (baseUrl: string) => Promise<string | null>;
  diskOf: (folder: string) => Promise<ModelDisk>;
  /** What a model consists of; null where nobody knows before the pull. */
  layersOf: (modelName: string, signal: AbortSignal) => Promise<{ digest: string; size: number }[] | null>;
  /** What may stand behind the colon of a name without one; empty where nobody says. Bounded in time by itself. */
  tagsOf: (modelName: string) => Promise<readonly { name: string; sizeBytes: number | null }[]>;
}

export class OllamaModels implements ModelSource {
  readonly provider = 'ollama';
  readonly #clients: readonly OllamaClient[];
  readonly #attempts: number;
  readonly #backOffMs: number;
  readonly #foresight: OllamaForesight | undefined;

  constructor(
    clients: readonly OllamaClient[],
    { attempts, backOffMs, foresight }: { attempts: number; backOffMs: number; foresight?: OllamaForesight },
  ) {
    this.#clients = clients;
    this.#attempts = Math.max(1, attempts);
    this.#backOffMs = backOffMs;
    this.#foresight = foresight;
  }

  /** Of Ollama's own folder, which need not be where our models lie. Of a pool each member has a disk of its own. */
  async disk(): Promise<ModelDisk | null> {
    const folder = await this.#folder();
    return folder === null ? null : ((await this.#foresight?.diskOf(folder)) ?? null);
  }

  async plan(modelName: string, runtime: string, signal: AbortSignal): Promise<InstallPlan> {
    checkedName(modelName);
    if (runtime !== 'ollama') throw new AppError('invalid_input', 'Models of the Ollama library run in Ollama.');
    const [name = '', tag = 'latest'] = modelName.split(':');
    const [layers, folder, tags] = await Promise.all([
      this.#foresight?.layersOf(modelName, AbortSignal.any([signal, AbortSignal.timeout(LAYERS_MS)])) ?? null,
      this.#folder(),
      this.#foresight?.tagsOf(name) ?? [],
      // Whether it is there can be told before it is asked to fetch anything.
      Promise.any(this.#clients.map((client) => client.version(signal))).catch((error: AggregateError) => {
        throw error.errors[0];
      }),
    ]);
    return {
      provider: this.provider,
      modelName,
      runtime,
      revision: null,
      files: [],
      // Nobody may know before the pull itself says so; then it is judged as it begins.
      totalBytes: (layers === null ? sizeOf(tags, tag) : await missingBytes(folder, layers)) * this.#clients.length,
      licence: null,
      gated: false,
      targetName: null,
      ...(tags.length > 0
        ? { variants: tags.map((each) => ({ ...each, chosen: each.name === tag })).toSorted(bySize) }
        : {}),
    };
  }

  async install(
    { modelName }: InstallPlan,
    onProgress: (progress: InstallProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelManifest> {
    const failures: unknown[] = [];
    let received = 0;
    let tag: OllamaTag | undefined;
    let holder: OllamaClient | undefined;
    for (const [index, client] of this.#clients.entries()) {
      const before = received;
      try {
        await this.#pull(
          client,
          modelName,
          ({ message, receivedBytes, totalBytes }) => {
            received = before + receivedBytes;
            const left = this.#clients.length - index;
            onProgress({
              step: 'download',
              message: this.#clients.length > 1 ? `${client.baseUrl}: ${message}` : message,
              receivedBytes: received,
              totalBytes: totalBytes === null ? null : before + totalBytes * left,
            });
          },
          signal,
        );
        onProgress({ step: 'verify', message: 'Looking at it', receivedBytes: received, totalBytes: null });
        const listed = (await client.listTags(signal)).find(({ name }) => sameModel(name, modelName));
        if (!listed) throw new AppError('download_failed', `Ollama says it is done, but does not list ${modelName}.`);
        tag ??= listed;
        holder ??= client;
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push(error);
      }
    }
    // A member that is away must not keep the others from having it.
    if (!tag || !holder) throw failures[0];
    const shown = await holder.show(tag.name, signal).catch(() => null);
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
    const answers = await Promise.allSettled(this.#clients.map((client) => client.remove(name, signal)));
    for (const answer of answers) {
      if (answer.status === 'fulfilled') continue;
      if (answer.reason instanceof AppError && answer.reason.code === 'model_not_found') continue;
      throw answer.reason;
    }
  }

  async #folder(): Promise<string | null> {
    const [only, ...others] = this.#clients;
    return only && others.length === 0 ? ((await this.#foresight?.folderOf(only.baseUrl)) ?? null) : null;
  }

  async #pull(
    client: OllamaClient,
    modelName: string,
    onProgress: (progress: OllamaProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await client.pull(modelName, onProgress, signal);
      } catch (error) {
        if (signal.aborted) throw new AppError('cancelled', 'The installation was cancelled.', { cause: error });
        const again = error instanceof AppError && /^(upstream_|source_unavailable)/.test(error.code);
        if (!again || attempt >= this.#attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, this.#backOffMs * attempt));
      }
    }
  }
}

/** Smallest first; those of no known size at the end, as the library has them. */
const bySize = (one: { sizeBytes: number | null }, other: { sizeBytes: number | null }): number =>
  (one.sizeBytes ?? Number.MAX_SAFE_INTEGER) - (other.sizeBytes ?? Number.MAX_SAFE_INTEGER);

/** As the library shows it, where the registry does not say what there is to be fetched; 0 where nobody knows. */
const sizeOf = (tags: readonly { name: string; sizeBytes: number | null }[], tag: string): number =>
  tags.find(({ name }) => name === tag)?.sizeBytes ?? 0;
