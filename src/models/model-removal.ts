// Takes an installed model away, whichever API asks for it, once it is sure that nobody needs it.
import { AppError } from '../shared/errors.js';
import type { InstalledModel } from './installed-models.js';
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
 * @param wanted  the engine whose model is meant
 * @throws AppError `invalid_input` for no name and for the active model, `model_not_found`, `ambiguous_model` where several
 * engines have it and none is named, or what the operation failed with
 */
export async function removeModel(
  { models, registry, operations }: RemovalParts,
  asked: string,
  wanted?: string,
): Promise<void> {
  if (!/^[\w\-.:/]{1,300}$/.test(asked) || asked.includes('..'))
    throw new AppError('invalid_input', 'This is no name of a model.');
  const name = (await models.find(asked, wanted))?.model.name ?? asked;
  const owners = wanted === undefined ? ownersOf(await models.holders(name)) : [];
  refuseAmbiguous(name, owners);
  const runtime = wanted ?? owners[0];
  // Of an engine that does not answer right now the manifest tells.
  const found = registry.manifest(name, runtime)
    ? await models.find(name, runtime)
    : await meantModel(models, name, runtime);
  const owner = found?.runtime.provider ?? runtime;
  const answering = (await models.activeModel()) === name ? (await models.find(name))?.runtime : undefined;
  const endpoint = found?.runtime.endpoint ?? null;
  if (
    answering &&
    (owner === undefined || owner === answering.provider || (endpoint !== null && endpoint === answering.endpoint))
  )
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

/** An Ollama that is listed by OpenAI's API as well is one server, and is removed from over its own. */
function ownersOf(holders: readonly InstalledModel[]): string[] {
  const own = holders.filter(({ runtime }) => runtime.provider === 'ollama').map(({ runtime }) => runtime.endpoint);
  return holders
    .map(({ runtime }) => runtime)
    .filter(({ provider, endpoint }) => provider === 'ollama' || !own.includes(endpoint))
    .map(({ provider }) => provider);
}
