// ModelManager (`model_manager`): the life of local models. Which one is active and in which version, which are loaded,
// which engine answers for a name. Where models come from is the registry's affair.
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { ChatTarget } from '../chat/turn-ports.js';
import type { RanWith } from '../routing/decision.js';
import { type GenericParams, paramsOfCall } from '../runtimes/call-params.js';
import {
  BACKGROUND,
  type LoadedModelInfo,
  type ModelDescription,
  type Runtime,
  type RuntimeHealth,
} from '../runtimes/runtime.js';
import { AppError, type ErrorCode, toAppError } from '../shared/errors.js';
import { type Abilities, abilitiesOf } from './abilities.js';
import type { Activation } from './activation.js';
import { ActivationWatch } from './activation-watch.js';
import { ActiveChoice, type ActiveModelMemory, type CloudChoice } from './active-choice.js';
import { isRunElsewhere } from './cloud-hosts.js';
import { contextWindow } from './context-window.js';
import type { GenerationOverrides } from './generation-overrides.js';
import { type InstalledList, type InstalledModel, InstalledModels } from './installed-models.js';
import { meantModel, modelNotFound } from './meant-model.js';
import { ModelActions } from './model-actions.js';
import type { ModelOperation } from './model-operation.js';
import type { ModelRegistry } from './model-registry.js';
import type { ModelTrials } from './model-trial.js';
import type { ModelOperations } from './operations.js';
import type { FileDigests } from './ports.js';
import { ranWith } from './ran-with.js';
import { type RuntimeIdentity, runtimeIdentity } from './runtime-identity.js';

/** How old the lists may be when a name is not found in them. */
const UNKNOWN_NAME_MS = 100;
/** A page is not kept waiting by an engine that hangs. */
const PAGE_WAITS_MS = 2_000;

export interface LoadedModel extends LoadedModelInfo {
  runtime: string;
}

export interface ModelManagerOptions {
  runtimes: readonly Runtime[];
  memory: ActiveModelMemory;
  /** `LLM_MODEL_NAME`. */
  configuredModel: string;
  /** A cloud engine that the settings name, until somebody chooses. */
  configuredCloud?: CloudChoice | null;
  cloudEndpoint?: (provider: string) => string | null;
  activation: Activation;
  operations: ModelOperations;
  registry: () => ModelRegistry;
  digests: FileDigests;
  overrides: GenerationOverrides;
  trials: ModelTrials;
  now: () => number;
  /** Whether an address is one of this machine or of a network of its own. */
  isInOwnNetwork: (endpoint: string) => Promise<boolean>;
  /** Another local model answers from now on. */
  onChosen?: () => void;
  /** `to` is null where there is nothing to go back to. */
  onRollback?: (from: string, to: string | null, reason: string) => void;
}

export class ModelManager {
  readonly #options: ModelManagerOptions;
  readonly #installed: InstalledModels;
  readonly #choice: ActiveChoice;
  readonly #watch: ActivationWatch;
  readonly #actions: ModelActions;

  /** The first runtime is asked first, so it wins where two know the same name and neither is the active one. */
  constructor(options: ModelManagerOptions) {
    this.#options = options;
    this.#installed = new InstalledModels(options.runtimes);
    this.#choice = new ActiveChoice(options.memory, {
      model: options.configuredModel,
      cloud: options.configuredCloud ?? null,
    });
    this.#watch = new ActivationWatch(options.now);
    this.#actions = new ModelActions({
      operations: options.operations,
      activation: options.activation,
      trials: options.trials,
      choice: this.#choice,
      watch: this.#watch,
      runtime: (provider) => this.runtime(provider),
      installed: {
        find: (name, provider) => this.find(name, provider),
        holders: (name) => this.holders(name),
        refresh: () => this.#installed.list(UNKNOWN_NAME_MS),
      },
    });
  }

  get runtimes(): readonly Runtime[] {
    return this.#options.runtimes;
  }

  runtime(provider: string): Runtime | undefined {
    return this.runtimes.find((runtime) => runtime.provider === provider);
  }

  list(): Promise<InstalledList> {
    return this.#installed.list();
  }

  /** What engines are asked again from now on. */
  changed(): void {
    this.#installed.forget();
  }

  get activeServer(): string | undefined {
    return this.#choice.server;
  }

  get activeCloud(): CloudChoice | null {
    return this.#choice.cloud;
  }

  /** The model that was chosen, whether or not anything can answer with it. */
  get chosenModel(): string | null {
    return this.activeCloud?.model || this.#choice.model;
  }

  chooseCloud(cloud: CloudChoice): void {
    this.#choice.chooseCloud(cloud);
  }

  /** What was last chosen on an engine, and what before it; empty where nothing was. */
  lastModels(provider: string): { last: string; previous: string } {
    return this.#choice.lastOn(provider);
  }

  /** The active model's name, or null when nothing that can chat is installed. */
  async activeModel(): Promise<string | null> {
    const wanted = this.#choice.model;
    const found = wanted === null ? undefined : await this.#answering(wanted);
    if (found) return found.model;
    const { models } = await this.list();
    return models.find(({ chat }) => chat)?.name ?? null;
  }

  /** Before models are added: who answers without having been chosen goes on answering, whatever names come before it. */
  async holdActive(): Promise<void> {
    if (this.#choice.model !== null) return;
    const name = await this.activeModel();
    if (name !== null) this.#choice.hold(name);
  }

  /** Of what answers now, a cloud engine included. */
  async activeIdentity(): Promise<RuntimeIdentity> {
    const cloud = this.activeCloud;
    if (cloud)
      return runtimeIdentity(cloud.provider, cloud.model, this.#options.cloudEndpoint?.(cloud.provider) ?? null);
    const model = await this.activeModel();
    if (model === null) return runtimeIdentity(this.activeServer ?? 'llama-cpp', '', null);
    const { runtime } = await this.resolve(model);
    return runtimeIdentity(runtime.provider, model, runtime.endpoint);
  }

  /**
   * Chosen by hand: no trial, because a person who switches wants it now. @throws AppError `model_not_found`,
   * `invalid_model` when the file is damaged
   */
  async choose(name: string, provider?: string): Promise<void> {
    const found = await this.find(name, provider);
    if (found?.model.problem) throw new AppError('invalid_model', found.model.problem);
    const chosen = provider && !found ? undefined : await this.#answering(name, provider);
    if (!chosen) throw modelNotFound(name);
    await this.#rememberFormer();
    this.#choice.choose(chosen.model, chosen.runtime.provider);
    this.#options.activation.adopt(
      chosen.model,
      chosen.runtime.provider,
      found ? await this.#knownDigest(found) : null,
      null,
    );
    this.#options.onChosen?.();
  }

  /** Without reading the file. */
  async #knownDigest({ runtime, model }: InstalledModel): Promise<string | null> {
    const recorded = this.#options.registry().manifest(model.name, runtime.provider)?.sha256;
    return model.digest ?? recorded ?? (model.path === null ? null : this.#options.digests.known(model.path));
  }

  /** Engine and name for a request. @throws AppError `no_model`, `model_not_found` */
  async resolve(name: string | undefined): Promise<{ runtime: Runtime; model: string }> {
    const asked = name || (await this.activeModel());
    if (!asked)
      throw new AppError(
        'no_model',
        'No model is installed yet: install the starter model or name a model server in LLM_LOCAL_ENDPOINT.',
      );
    const answering = await this.#answering(asked);
    if (!answering) throw modelNotFound(asked);
    return answering;
  }

  /** What an engine lists under a name, or undefined. */
  async find(name: string, provider?: string): Promise<InstalledModel | undefined> {
    const wanted = provider ?? this.activeServer;
    const fits = () => {
      const known = this.#installed.known(name, wanted);
      return provider === undefined || known?.runtime.provider === provider ? known : undefined;
    };
    const known = fits();
    if (known) return known;
    // It may have come a moment ago; but a name nobody knows must not make every request ask every engine.
    await this.#installed.list(UNKNOWN_NAME_MS);
    return fits();
  }

  /** Every engine that lists a name; more than one where two hold a model of the same name. */
  async holders(name: string): Promise<InstalledModel[]> {
    await this.#installed.list(UNKNOWN_NAME_MS);
    return this.#installed.holders(name);
  }

  async chatTarget(name: string | undefined): Promise<ChatTarget> {
    const { runtime, model } = await this.resolve(name);
    const identity = runtimeIdentity(runtime.provider, model, runtime.endpoint);
    return {
      ...identity,
      stream: (asked) => {
        const options = this.#options.overrides.apply(runtime.provider, model, asked);
        return runtime.streamBatches ? runtime.streamBatches(model, options) : batchesOf(runtime, model, options);
      },
      ranWith: (asked, unknown) => this.ranWith(runtime, model, paramsOfCall(asked), unknown),
    };
  }

  /** What becomes of parameters on their way to an engine, those a person has stored included. */
  ranWith(
    runtime: Runtime,
    model: string,
    asked: GenericParams,
    unknown: readonly string[],
    wire: 'own' | 'openai' = 'own',
  ): RanWith {
    return ranWith(runtime, model, this.#options.overrides.fill(runtime.provider, model, asked), unknown, wire);
  }

  /** A call with what a person has stored for this model and engine in place of what it leaves open. */
  withStoredParams<T extends Omit<LanguageModelV4CallOptions, 'prompt'>>(runtime: Runtime, model: string, asked: T): T {
    return this.#options.overrides.apply(runtime.provider, model, asked);
  }

  async describe(name: string, provider?: string): Promise<ModelDescription | null> {
    const found = await this.find(name, provider);
    return (await found?.runtime.describeModel?.(found.model.name)) ?? null;
  }

  /** By its trial, else by its engine's word; all null where nobody knows the model or its engine does not answer. */
  /** Tokens of one conversation, answer included, where we choose what goes along; null where nobody knows. */
  async contextWindow(name: string): Promise<number | null> {
    const found = await this.find(name);
    if (!found) return null;
    const described = (await found.runtime.describeModel?.(found.model.name)) ?? null;
    return contextWindow(described, this.#options.registry().manifest(found.model.name, found.runtime.provider)?.probe);
  }

  async abilities(name: string, provider: string): Promise<Abilities> {
    const probe = this.#options.registry().manifest(name, provider)?.probe;
    const known = this.runtime(provider) ? await this.describe(name, provider).catch(() => null) : null;
    return abilitiesOf(provider, known?.capabilities ?? null, probe);
  }

  /** Tries it first, then moves the traffic. @throws AppError `model_not_found` */
  async activate(name: string, provider?: string): Promise<ModelOperation> {
    await this.#rememberFormer();
    return this.#actions.activate(name, provider);
  }

  /** Who answered without ever having been chosen is what one goes back to. */
  #rememberFormer(): Promise<void> {
    return this.recordActive().catch(() => {});
  }

  /** Back to the newest former version that still is what it was. @throws AppError `no_former_version` */
  rollBack(reason = 'asked for'): Promise<ModelOperation> {
    return this.#actions.rollBack(reason);
  }

  /** Hashes the file again and compares it with what was recorded. @throws AppError `model_not_found`, `unsupported` */
  verify(name: string, provider?: string): Promise<ModelOperation> {
    return this.#actions.verify(name, provider);
  }

  /** Asks it the questions an activation asks, and keeps what it can do; traffic stays where it is. @throws AppError `model_not_found` */
  probe(name: string, provider?: string): Promise<ModelOperation> {
    return this.#actions.probe(name, provider);
  }

  /** The same, but nobody waits for it: see `ModelTrials.quietly`. */
  probeQuietly(found: InstalledModel): ModelOperation {
    return this.#actions.probeQuietly(found);
  }

  /**
   * Models that can chat and were never tried as they are now: those that were brought here, and the one that answers. Only
   * of engines and servers of this house: asking others unasked may cost their owners something.
   */
  async untried(): Promise<InstalledModel[]> {
    const registry = this.#options.registry();
    const active = await this.activeModel();
    const names = registry.manifests().map(({ name, runtime }) => ({ name, provider: runtime as string | undefined }));
    if (active !== null) names.unshift({ name: active, provider: undefined });
    const found = await Promise.all(names.map(({ name, provider }) => this.find(name, provider)));
    const untried = found.filter((one): one is InstalledModel => {
      if (!one?.model.chat || one.model.problem !== null) return false;
      const known = registry.manifest(one.model.name, one.runtime.provider);
      // A report without it is from a release whose trials asked for less.
      return known?.probe?.usableContext === undefined || known.sizeBytes !== one.model.sizeBytes;
    });
    const once = [...new Map(untried.map((one) => [`${one.runtime.provider}|${one.model.name}`, one])).values()];
    const own = await Promise.all(once.map((one) => this.#isOwn(one)));
    return once.filter((_, index) => own[index]);
  }

  /** No cloud behind it that its address or the model's name would show; of a pool, all members that have the model. */
  async #isOwn({ runtime, model }: InstalledModel): Promise<boolean> {
    if (isRunElsewhere(runtime.provider, model.name)) return false;
    if (runtime.endpoint === null) return true;
    const addresses = model.endpoints ?? [runtime.endpoint];
    return (await Promise.all(addresses.map(this.#options.isInOwnNetwork))).every(Boolean);
  }

  /**
   * Who answers without having been chosen by hand is a version too: lists, pins and the way back begin with it.
   * @param signal  given where there is time to read the whole file, if nobody knows its hash yet
   */
  async recordActive(signal?: AbortSignal): Promise<void> {
    if (this.activeCloud) return;
    const name = await this.activeModel();
    const found = name === null ? undefined : await this.find(name);
    if (!found || found.model.problem !== null) return;
    const { activation, digests } = this.#options;
    const { active } = activation;
    const recorded = active?.modelName === name && active?.runtime === found.runtime.provider;
    if (recorded && (active?.digest !== null || !signal)) return;
    const { path } = found.model;
    const digest =
      (await this.#knownDigest(found)) ?? (path && signal ? await digests.sha256(path, () => {}, signal) : null);
    if (!recorded) activation.adopt(found.model.name, found.runtime.provider, digest, null);
    else if (digest !== null && active) activation.identify(active.versionId, digest);
  }

  /** @throws AppError `model_not_found`, `unsupported` where an engine cannot */
  unload(name: string, provider?: string): Promise<ModelOperation> {
    return this.#actions.unload(name, provider);
  }

  /** How long it stays in memory unused; empty goes back to `LLM_KEEP_ALIVE`. @throws AppError `model_not_found`, `unsupported`, `invalid_input` */
  async keepAlive(name: string, keepAlive: string, provider?: string): Promise<void> {
    const found = await meantModel(this, name, provider);
    if (!found.runtime.keepAlive)
      throw new AppError('unsupported', `${found.runtime.provider} decides itself how long ${name} stays.`);
    await found.runtime.keepAlive(found.model.name, keepAlive);
  }

  /** Every model in memory, of the engines that say so. */
  async loaded(): Promise<LoadedModel[]> {
    const answers = await Promise.allSettled(
      this.runtimes.map(async (runtime) =>
        ((await runtime.loaded?.(AbortSignal.timeout(PAGE_WAITS_MS))) ?? []).map((model) => ({
          ...model,
          runtime: runtime.provider,
        })),
      ),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  }

  /** How a turn of the active model ended; several failures right after an activation undo it. */
  outcome(model: string, failure: ErrorCode | null): void {
    const { active } = this.#options.activation;
    if (active?.modelName !== model) return;
    const reason = this.#watch.outcome(failure, active);
    if (reason === null) return;
    void this.rollBack(reason).then(
      ({ input }) => this.#options.onRollback?.(active.versionId, String(input['to']), failure ?? ''),
      // There is nothing to go back to: it serves on, as well as it can.
      (error) => this.#options.onRollback?.(active.versionId, null, toAppError(error).message),
    );
  }

  /**
   * Asks the active model something short, so that its weights are in memory when somebody asks in earnest.
   * Quietly does nothing without a model. @throws whatever the engine throws, and a TimeoutError
   */
  async warmUp({
    prompt,
    maxTokens,
    timeoutMs,
    signal,
  }: {
    prompt: string;
    maxTokens: number;
    /** For the answer; the weights take the time they take, or nothing would be warm. */
    timeoutMs: number;
    signal: AbortSignal;
  }): Promise<void> {
    const active = await this.activeModel();
    if (active === null) return;
    const { runtime, model } = await this.resolve(active);
    await runtime.load?.(model, signal);
    await runtime.languageModel(model).doGenerate({
      prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
      temperature: 0,
      maxOutputTokens: maxTokens,
      providerOptions: BACKGROUND,
      abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  }

  health(): Promise<{ runtime: Runtime; health: RuntimeHealth }[]> {
    return Promise.all(
      this.runtimes.map(async (runtime) => ({
        runtime,
        health: await runtime.health(AbortSignal.timeout(PAGE_WAITS_MS)),
      })),
    );
  }

  /** The engines whose models were freed, and those that could not be asked. */
  async unloadAll(): Promise<{ freed: string[]; failed: { provider: string; error: string }[] }> {
    const answers = await Promise.allSettled(this.runtimes.map((runtime) => runtime.unloadAll()));
    const freed: string[] = [];
    const failed: { provider: string; error: string }[] = [];
    for (const [index, answer] of answers.entries()) {
      const { provider } = this.runtimes[index] as Runtime;
      if (answer.status === 'fulfilled') freed.push(provider);
      else failed.push({ provider, error: (answer.reason as Error).message });
    }
    return { freed, failed };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.runtimes.map((runtime) => runtime.close()));
  }

  /** Engine and the engine's own name of a model. */
  async #answering(name: string, provider?: string): Promise<{ runtime: Runtime; model: string } | undefined> {
    const found = await this.find(name, provider);
    if (found) return { runtime: found.runtime, model: found.model.name };
    // A model server knows its own names best: some answer to aliases, some list nothing, some are down right now, and
    // each says so itself.
    const open = this.runtimes.filter(({ endpoint }) => endpoint !== null);
    const runtime = open.find((candidate) => candidate.provider === this.activeServer) ?? open[0];
    return runtime && { runtime, model: name };
  }
}

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
