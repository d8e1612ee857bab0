// Which models are installed, which one is active, and which engine answers for a name.
import { createHash } from 'node:crypto';
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { ChatTarget } from '../chat/simple-mode.js';
import type { Runtime, RuntimeHealth, RuntimeModel } from '../runtimes/runtime.js';
import { AppError } from '../shared/errors.js';

const ACTIVE_KEY = 'active_model';

/** Where the active model is remembered. */
export interface ActiveModelMemory {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

export interface RuntimeIdentity {
  provider: string;
  model: string;
  endpoint: string | null;
  configHash: string;
  runtimeId: string;
}

export class ModelManager {
  readonly #runtimes: readonly Runtime[];
  readonly #memory: ActiveModelMemory;
  readonly #configuredModel: string;
  // What was last seen, so that a turn does not ask every engine for its list.
  readonly #known = new Map<string, Runtime>();

  /** The first runtime is asked first, so it wins where two know the same name. */
  constructor(runtimes: readonly Runtime[], memory: ActiveModelMemory, configuredModel: string) {
    this.#runtimes = runtimes;
    this.#memory = memory;
    this.#configuredModel = configuredModel;
  }

  get runtimes(): readonly Runtime[] {
    return this.#runtimes;
  }

  /** `unavailable` names the engines that did not answer and why. */
  async list(): Promise<{ models: RuntimeModel[]; unavailable: { provider: string; error: string }[] }> {
    const answers = await Promise.allSettled(this.#runtimes.map((runtime) => runtime.listModels()));
    const unavailable: { provider: string; error: string }[] = [];
    const models = answers.flatMap((answer, index) => {
      const runtime = this.#runtimes[index] as Runtime;
      if (answer.status === 'rejected') {
        unavailable.push({ provider: runtime.provider, error: (answer.reason as Error).message });
        return [];
      }
      return answer.value;
    });
    this.#known.clear();
    answers.forEach((answer, index) => {
      if (answer.status !== 'fulfilled') return;
      for (const { name } of answer.value)
        if (!this.#known.has(name)) this.#known.set(name, this.#runtimes[index] as Runtime);
    });
    return { models, unavailable };
  }

  /** The active model's name, or null when nothing that can chat is installed. */
  async activeModel(): Promise<string | null> {
    const wanted = this.#memory.get(ACTIVE_KEY) || this.#configuredModel;
    if (wanted && (await this.#runtimeFor(wanted))) return wanted;
    const { models } = await this.list();
    return models.find(({ chat }) => chat)?.name ?? null;
  }

  /** @throws AppError `model_not_found` */
  async choose(name: string): Promise<void> {
    if (!(await this.#runtimeFor(name))) throw modelNotFound(name);
    this.#memory.set(ACTIVE_KEY, name);
  }

  /** Engine and name for a request. @throws AppError `no_model`, `model_not_found` */
  async resolve(name: string | undefined): Promise<{ runtime: Runtime; model: string }> {
    const model = name || (await this.activeModel());
    if (!model)
      throw new AppError(
        'no_model',
        'No model is installed yet: install the starter model or name a model server in LLM_LOCAL_ENDPOINT.',
      );
    const runtime = await this.#runtimeFor(model);
    if (!runtime) throw modelNotFound(model);
    return { runtime, model };
  }

  async chatTarget(name: string | undefined): Promise<ChatTarget> {
    const { runtime, model } = await this.resolve(name);
    const identity = runtimeIdentity(runtime.provider, model, runtime.endpoint);
    return {
      ...identity,
      stream: (options) =>
        runtime.streamBatches ? runtime.streamBatches(model, options) : batchesOf(runtime, model, options),
    };
  }

  /**
   * Asks the active model something short, so that its weights are in memory when somebody asks in earnest.
   * Quietly does nothing without a model. @throws whatever the engine throws, and a TimeoutError
   */
  async warmUp({
    prompt,
    maxTokens,
    timeoutMs,
  }: {
    prompt: string;
    maxTokens: number;
    timeoutMs: number;
  }): Promise<void> {
    const active = await this.activeModel();
    if (active === null) return;
    const { runtime, model } = await this.resolve(active);
    await runtime.languageModel(model).doGenerate({
      prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
      temperature: 0,
      maxOutputTokens: maxTokens,
      abortSignal: AbortSignal.timeout(timeoutMs),
    });
  }

  health(): Promise<{ runtime: Runtime; health: RuntimeHealth }[]> {
    return Promise.all(this.#runtimes.map(async (runtime) => ({ runtime, health: await runtime.health() })));
  }

  async unloadAll(): Promise<void> {
    await Promise.allSettled(this.#runtimes.map((runtime) => runtime.unloadAll()));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#runtimes.map((runtime) => runtime.close()));
  }

  async #runtimeFor(name: string): Promise<Runtime | undefined> {
    const known = this.#known.get(name);
    if (known) return known;
    await this.list();
    // A model server knows its own names best: some answer to aliases, some list nothing, some are down right now, and
    // each says so itself.
    return this.#known.get(name) ?? this.#runtimes.find(({ endpoint }) => endpoint !== null);
  }
}

const identities = new Map<string, RuntimeIdentity>();
const IDENTITIES_KEPT = 1_000;

/** Kept, because a hash per turn is a hash too many. */
export function runtimeIdentity(provider: string, model: string, endpoint: string | null): RuntimeIdentity {
  const key = `${provider}|${endpoint ?? ''}|${model}`;
  let identity = identities.get(key);
  if (!identity) {
    if (identities.size >= IDENTITIES_KEPT) identities.clear();
    identity = newIdentity(provider, model, endpoint);
    identities.set(key, identity);
  }
  return identity;
}

function newIdentity(provider: string, model: string, endpoint: string | null): RuntimeIdentity {
  const configHash = createHash('sha256')
    .update(`${provider}|${endpoint ?? ''}|${model}`)
    .digest('hex')
    .slice(0, 12);
  return { provider, model, endpoint, configHash, runtimeId: `${provider}@${endpoint ?? 'local'}` };
}

const modelNotFound = (name: string) => new AppError('model_not_found', `No installed model is called ${name}.`);

async function batchesOf(
  runtime: Runtime,
  model: string,
  options: LanguageModelV4CallOptions,
): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
  const { stream } = await runtime.languageModel(model).doStream(options);
  return (async function* () {
    for await (const part of stream) yield [part];
  })();
}
