// Which installed model makes vectors, and asking it. Texts go to engines of this house only, never to a cloud provider.
import type { Embedder, EmbedderIdentity } from '../chat/memory/ports.js';
import type { Runtime, RuntimeModel } from '../runtimes/runtime.js';
import { AppError } from '../shared/errors.js';
import type { InstalledList } from './installed-models.js';

/** How long a choice stands before the installed models are looked at again. */
const LOOK_EVERY_MS = 30_000;
/** Texts of one request to an engine. */
const BATCH = 32;
const CLOUD = new Set(['openai', 'google', 'azure', 'cloud-compatible']);

export interface EmbeddingModelOptions {
  list: () => Promise<InstalledList>;
  /** The engine that makes the vectors for models of a provider; undefined = none does. */
  runtime: (provider: string) => Runtime | undefined;
  /** `EMBEDDING_MODEL`: a name, or empty for whichever fits `preferred`, else the first there is. */
  wanted: string;
  /** `INTENT_EMBED_MODEL_NAME`. */
  preferred: string;
  now: () => number;
}

interface Choice {
  identity: EmbedderIdentity;
  model: RuntimeModel;
  provider: string;
}

export class EmbeddingModel implements Embedder {
  readonly #options: EmbeddingModelOptions;
  #choice: Choice | null | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(options: EmbeddingModelOptions) {
    this.#options = options;
  }

  async identity(): Promise<EmbedderIdentity | null> {
    return (await this.#chosen())?.identity ?? null;
  }

  async embed(texts: readonly string[], signal: AbortSignal, treatment?: { background: boolean }): Promise<number[][]> {
    const choice = await this.#chosen();
    const runtime = choice && this.#options.runtime(choice.provider);
    if (!runtime) throw new AppError('unsupported', 'No embedding model is installed.');
    const vectors: number[][] = [];
    for (let from = 0; from < texts.length; from += BATCH) {
      const batch = texts.slice(from, from + BATCH);
      vectors.push(
        ...(await runtime.embed(choice.model.name, batch, signal, { ...treatment, truncate: true })).vectors,
      );
    }
    return vectors;
  }

  // Only the very first question waits for the engines' lists; later ones go by what was last known meanwhile.
  async #chosen(): Promise<Choice | null> {
    const now = this.#options.now();
    if (!this.#looking && now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      this.#looking = this.#look()
        .then((choice) => {
          this.#choice = choice;
        })
        // An engine that is restarting is no reason to forget which model it has.
        .catch(() => {})
        .finally(() => {
          this.#looking = undefined;
        });
    }
    if (this.#choice === undefined) await this.#looking;
    return this.#choice ?? null;
  }

  async #look(): Promise<Choice | null> {
    const { models } = await this.#options.list();
    const fit = models.filter(({ embedding, problem, provider }) => embedding && !problem && !CLOUD.has(provider));
    const { wanted, preferred } = this.#options;
    const model = wanted ? named(fit, wanted) : (named(fit, preferred) ?? fit[0]);
    if (!model) return null;
    const bytes = model.digest ?? (model.sizeBytes === null ? '' : String(model.sizeBytes));
    return {
      model,
      provider: model.provider,
      identity: { id: `${model.provider}|${model.name}|${bytes}`, model: model.name },
    };
  }
}

/** By its full name, else by what remains of both names without owner, tag and file type. */
function named(models: readonly RuntimeModel[], wanted: string): RuntimeModel | undefined {
  const exact = models.find(({ name }) => name === wanted);
  if (exact) return exact;
  const core = coreOf(wanted);
  return models.find(({ name }) => coreOf(name).startsWith(core) || core.startsWith(coreOf(name)));
}

const coreOf = (name: string): string =>
  (name.split('/').at(-1) ?? name)
    .toLowerCase()
    .replace(/:.*$/, '')
    .replace(/\.gguf$/, '')
    .replace(/[^a-z0-9]+/g, '');
