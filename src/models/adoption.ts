// Taking over model files that another application on this machine holds, without a second copy of their bytes.
import { AppError } from '../shared/errors.js';
import { capabilitiesByFile } from './manifest.js';
import type { ModelOperation, OperationContext } from './model-operation.js';
import type { ModelRegistry } from './model-registry.js';
import type { ModelOperations } from './operations.js';
import type { FileDigests, ForeignModelFiles, FoundForeignModel, ModelFileCheck } from './ports.js';

export interface AdoptionOptions {
  foreign: ForeignModelFiles;
  registry: ModelRegistry;
  operations: ModelOperations;
  digests: FileDigests;
  checkFile: ModelFileCheck;
  now: () => number;
  /** Before a model is added to those that are here. */
  beforeAdding: () => Promise<void>;
  onAdopted: () => void;
}

export class Adoption {
  readonly #options: AdoptionOptions;

  constructor(options: AdoptionOptions) {
    this.#options = options;
    options.operations.handle('adopt', (context) => this.#adopt(context));
  }

  find(): Promise<FoundForeignModel[]> {
    return this.#options.foreign.find();
  }

  /** The model's name here, once it was taken over; null before. */
  nameHere(model: FoundForeignModel): string | null {
    return this.#options.registry.manifests().find(({ source }) => source === sourceOf(model))?.name ?? null;
  }

  /** @throws AppError `model_not_found` */
  async start(id: string, name?: string): Promise<ModelOperation> {
    // Looked up again: a caller names what was found, never a path of its own.
    const model = (await this.find()).find((candidate) => candidate.id === id);
    if (!model) throw new AppError('model_not_found', 'No other application holds such a model any more.');
    const modelName = (name ?? model.name).replace(/[^\w\-.]/g, '-').replace(/^\.+/, '');
    return this.#options.operations.start({
      type: 'adopt',
      modelName,
      provider: 'local',
      runtime: 'llama-cpp',
      input: { id },
    });
  }

  async #adopt(context: OperationContext): Promise<Record<string, unknown>> {
    const { foreign, registry, digests, checkFile, now, beforeAdding, onAdopted } = this.#options;
    const { modelName, input } = context.operation;
    const model = (await foreign.find()).find(({ id }) => id === input['id']);
    if (!model) throw new AppError('model_not_found', 'The other application no longer holds this model.');
    context.step('check', 'Checking the file');
    const facts = await checkFile(model.path);
    const sha256 = await digests.sha256(model.path, (done, total) => context.progress(done, total), context.signal);
    if (model.sha256 !== null && model.sha256 !== sha256)
      throw new AppError('hash_mismatch', `The file has SHA-256 ${sha256}, its owner says ${model.sha256}.`);
    context.step('link', 'Linking');
    await beforeAdding();
    const { path, linked } = await foreign.adopt(model, `${modelName}.gguf`);
    registry.record({
      name: modelName,
      provider: 'local',
      displayName: modelName,
      sizeBytes: model.sizeBytes,
      status: 'installed',
      capabilities: capabilitiesByFile(facts),
      localPath: path,
      sha256,
      installedAt: now(),
      runtime: 'llama-cpp',
      source: sourceOf(model),
      licence: null,
      // The link is ours to remove; the bytes stay with their owner.
      owned: !linked,
      probe: null,
    });
    onAdopted();
    return { path, linked, sha256 };
  }
}

const sourceOf = ({ application, path }: FoundForeignModel): string => `${application}:${path}`;
