// Takes an installed model away, whichever API asks for it, once it is sure that nobody needs it.
import { AppError } from '../shared/errors.js';
import { meantModel, refuseAmbiguous } from './meant-model.js';
import type { ModelManager } from './model-manager.js';
import type { ModelRegistry } from './model-registry.js';
import { localManifest } from './model-trial.js';
import type { ModelOperations } from './operations.js';

export interface RemovalParts {
  models: ModelManager;
  registry: ModelRegistry;
  operations: ModelOperations;
}

/**
 * Resolves when it is gone.
 * @param runtime  the engine whose model is meant
 * @throws AppError `invalid_input` for no name and for the active model, `model_not_found`, `ambiguous_model` where several
 * engines have it and none is named, or what the operation failed with
 */
export async function removeModel(
  { models, registry, operations }: RemovalParts,
  asked: string,
  runtime?: string,
): Promise<void> {
  if (!/^[\w\-.:/]{1,300}$/.test(asked) || asked.includes('..'))
    throw new AppError('invalid_input', 'This is no name of a model.');
  const name = (await models.find(asked, runtime))?.model.name ?? asked;
  if (runtime === undefined) {
    // The same server may be listed twice, by its own API and by OpenAI's, over which nothing can be removed.
    const owners = (await models.holders(name)).filter(
      ({ runtime: { provider }, model }) => model.path !== null || provider === 'ollama',
    );
    refuseAmbiguous(
      name,
      owners.map((holder) => holder.runtime.provider),
    );
  }
  // Of an engine that does not answer right now the manifest tells.
  const found = registry.manifest(name, runtime)
    ? await models.find(name, runtime)
    : await meantModel(models, name, runtime);
  const owner = found?.runtime.provider ?? runtime;
  const active = (await models.activeModel()) === name ? (await models.find(name))?.runtime.provider : undefined;
  if (active !== undefined && (owner === undefined || owner === active))
    throw new AppError('invalid_input', `${name} is the active model; switch to another one first.`);
  if (found && !registry.manifest(name, found.runtime.provider)) {
    if (!found.model.path && found.runtime.provider !== 'ollama')
      throw new AppError('model_not_found', `${name} belongs to ${found.runtime.provider}, which removes it itself.`);
    registry.record(localManifest(found.model, found.runtime.provider));
  }
  const operation = registry.remove(name, owner);
  const ended = await operations.settled(operation.operationId);
  if (ended.status === 'completed') return;
  const reason = ended.error?.message ?? ended.message;
  if (ended.error?.code === 'model_in_use') throw new AppError('invalid_input', reason);
  throw new AppError(ended.error?.code ?? 'internal', reason);
}
