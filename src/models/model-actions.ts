// What is done to an installed model and takes a while: activate, go back, verify, probe, unload. Each begins here and is
// carried out here, as a ModelOperation.
import type { Runtime } from '../runtimes/runtime.js';
import { AppError } from '../shared/errors.js';
import { type Activation, type Candidate, checkedDigest } from './activation.js';
import type { ActivationWatch } from './activation-watch.js';
import type { ActiveChoice } from './active-choice.js';
import type { InstalledModel } from './installed-models.js';
import { meantModel, modelNotFound } from './meant-model.js';
import type { ModelOperation, OperationContext, OperationType } from './model-operation.js';
import type { ModelTrials } from './model-trial.js';
import type { ModelOperations } from './operations.js';
import { goBack, noFormerVersion, type PassedOver } from './way-back.js';

export interface ModelActionsParts {
  operations: ModelOperations;
  activation: Activation;
  trials: ModelTrials;
  choice: ActiveChoice;
  watch: ActivationWatch;
  runtime: (provider: string) => Runtime | undefined;
  installed: {
    find(name: string, provider?: string): Promise<InstalledModel | undefined>;
    holders(name: string): Promise<InstalledModel[]>;
    /** Asks the engines once more what they have. */
    refresh(): Promise<unknown>;
  };
}

export class ModelActions {
  readonly #parts: ModelActionsParts;

  constructor(parts: ModelActionsParts) {
    this.#parts = parts;
    const { operations } = parts;
    operations.handle('activate', (context) => this.#activate(context));
    operations.handle('rollback', (context) => this.#rollBack(context));
    operations.handle('verify', (context) => this.#verify(context));
    operations.handle('probe', (context) => this.#probe(context));
    operations.handle('unload', (context) => this.#unload(context));
  }

  /** Tries it first, then moves the traffic. @throws AppError `model_not_found` */
  async activate(name: string, provider?: string): Promise<ModelOperation> {
    return this.#start('activate', await this.#found(name, provider));
  }

  /** Back to the newest former version that still is what it was. @throws AppError `no_former_version` */
  async rollBack(reason: string): Promise<ModelOperation> {
    const { activation, operations, installed } = this.#parts;
    const { formers, active } = activation;
    const passedOver: PassedOver[] = [];
    await installed.refresh();
    for (const { versionId, modelName, runtime } of active ? formers : []) {
      const found = await installed.find(modelName, runtime);
      if (found && found.model.problem === null)
        return operations.start({
          type: 'rollback',
          modelName,
          provider: runtime,
          runtime,
          input: { from: active?.versionId, to: versionId, reason },
        });
      passedOver.push(
        found
          ? { versionId, code: 'invalid_model', reason: found.model.problem ?? '' }
          : { versionId, code: 'model_not_found', reason: 'its engine does not list it any more.' },
      );
    }
    throw noFormerVersion(passedOver);
  }

  /** Hashes the file again and compares it with what was recorded. @throws AppError `model_not_found`, `unsupported` */
  async verify(name: string, provider?: string): Promise<ModelOperation> {
    const found = await meantModel(this.#parts.installed, name, provider);
    if (!found.model.path)
      throw new AppError(
        'unsupported',
        `${found.runtime.provider} keeps ${name} itself; there is no file to read here.`,
      );
    return this.#start('verify', found);
  }

  /** Asks it the questions an activation asks, and keeps what it can do; traffic stays where it is. @throws AppError `model_not_found` */
  async probe(name: string, provider?: string): Promise<ModelOperation> {
    return this.#start('probe', await meantModel(this.#parts.installed, name, provider));
  }

  /** The same, but nobody waits for it: see `ModelTrials.quietly`. */
  probeQuietly(found: InstalledModel): ModelOperation {
    return this.#start('probe', found, { idle: true });
  }

  /** @throws AppError `model_not_found`, `unsupported` where an engine cannot */
  async unload(name: string, provider?: string): Promise<ModelOperation> {
    const found = await meantModel(this.#parts.installed, name, provider);
    if (!found.runtime.unload)
      throw new AppError('unsupported', `${found.runtime.provider} manages its memory itself.`);
    return this.#start('unload', found);
  }

  #start(type: OperationType, { runtime, model }: InstalledModel, rest: { idle?: boolean } = {}): ModelOperation {
    return this.#parts.operations.start({
      ...rest,
      type,
      modelName: model.name,
      provider: model.provider,
      runtime: runtime.provider,
    });
  }

  async #activate(context: OperationContext): Promise<Record<string, unknown>> {
    const { modelName, runtime } = context.operation;
    const version = await this.#parts.activation.run(await this.#candidate(modelName, runtime), context);
    this.#parts.watch.begin();
    return { version_id: version.versionId, digest: version.digest, report: version.report };
  }

  async #rollBack(context: OperationContext): Promise<Record<string, unknown>> {
    const { input } = context.operation;
    const { version, passedOver } = await goBack(
      this.#parts.activation,
      ({ modelName, runtime }) => this.#candidate(modelName, runtime),
      context,
    );
    return {
      version_id: version.versionId,
      from: input['from'],
      reason: input['reason'],
      passed_over: passedOver.map(({ versionId, code, reason }) => ({ version_id: versionId, code, reason })),
    };
  }

  async #verify(context: OperationContext): Promise<Record<string, unknown>> {
    const { modelName, runtime } = context.operation;
    const candidate = await this.#candidate(modelName, runtime);
    context.step('hash', 'Reading the file');
    const digest = await checkedDigest(candidate, context);
    return { sha256: digest, expected: candidate.expectedDigest };
  }

  async #probe({ operation, signal, step }: OperationContext): Promise<Record<string, unknown>> {
    const { trials } = this.#parts;
    const found = await this.#found(operation.modelName, operation.runtime);
    step('probe', operation.idle ? 'Asking it a few questions in quiet moments' : 'Asking it a few questions');
    const { score, tokensPerSecond } = await (operation.idle
      ? trials.quietly(found, signal)
      : trials.now(found, signal));
    return { score, tokens_per_second: tokensPerSecond };
  }

  async #unload(context: OperationContext): Promise<null> {
    const { modelName, runtime } = context.operation;
    context.step('unload', 'Freeing memory');
    // Of an engine that does not list it any more, too.
    await this.#parts.runtime(runtime)?.unload?.(modelName, context.signal);
    return null;
  }

  async #candidate(name: string, provider: string): Promise<Candidate> {
    const found = await this.#found(name, provider);
    return this.#parts.trials.candidate(found, () => this.#parts.choice.choose(name, provider));
  }

  async #found(name: string, provider?: string): Promise<InstalledModel> {
    const found = await this.#parts.installed.find(name, provider);
    if (!found) throw modelNotFound(name);
    return found;
  }
}
