// DerivedModels: models made of others, by an engine that keeps such: copies under another name, and another's weights with
// instructions of their own. Operations like any other.
import type { ModelDerivation, Runtime } from '../runtimes/runtime.js';
import { AppError } from '../shared/errors.js';
import { modelNotFound } from './meant-model.js';
import type { ModelManager } from './model-manager.js';
import type { ModelOperation, OperationContext } from './model-operation.js';
import type { ModelOperations } from './operations.js';

export interface DerivedModelsOptions {
  models: Pick<ModelManager, 'find'>;
  operations: ModelOperations;
  /** Told when there is a new one. */
  onMade: () => void;
}

type Ability = 'copyModel' | 'deriveModel';

export class DerivedModels {
  readonly #options: DerivedModelsOptions;

  constructor(options: DerivedModelsOptions) {
    this.#options = options;
    options.operations.handle('copy', (context) => this.#copy(context));
    options.operations.handle('derive', (context) => this.#derive(context));
  }

  /** @throws AppError `model_not_found`, `unsupported` where the engine of the source keeps no copies */
  async copy(source: string, destination: string): Promise<ModelOperation> {
    const { provider } = await this.#engine(source, 'copyModel');
    const input = { source };
    return this.#options.operations.start({ type: 'copy', modelName: destination, provider, runtime: provider, input });
  }

  /** @throws AppError `model_not_found`, `unsupported` where the engine of `from` makes no models */
  async derive(name: string, derivation: ModelDerivation): Promise<ModelOperation> {
    const { provider } = await this.#engine(derivation.from, 'deriveModel');
    const input = { derivation };
    return this.#options.operations.start({ type: 'derive', modelName: name, provider, runtime: provider, input });
  }

  async #copy({ operation, signal, step }: OperationContext): Promise<null> {
    const source = String(operation.input['source']);
    step('copy', `Copying ${source}`);
    await (await this.#engine(source, 'copyModel')).copyModel(source, operation.modelName, signal);
    this.#options.onMade();
    return null;
  }

  async #derive({ operation, signal, step, progress }: OperationContext): Promise<null> {
    const derivation = operation.input['derivation'] as ModelDerivation;
    step('derive', `Making it of ${derivation.from}`);
    const engine = await this.#engine(derivation.from, 'deriveModel');
    await engine.deriveModel(operation.modelName, derivation, (message) => progress(0, null, message), signal);
    this.#options.onMade();
    return null;
  }

  async #engine<A extends Ability>(model: string, ability: A): Promise<Runtime & Required<Pick<Runtime, A>>> {
    const found = await this.#options.models.find(model);
    if (!found) throw modelNotFound(model);
    const { runtime } = found;
    if (!runtime[ability])
      throw new AppError(
        'unsupported',
        `${model} runs on ${runtime.provider}, which makes no models of others; Ollama does.`,
      );
    return runtime as Runtime & Required<Pick<Runtime, A>>;
  }
}
