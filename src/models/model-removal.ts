// Takes an installed model away, whichever API asks for it, once it is sure that nobody needs it.
import { AppError } from '../shared/errors.js';
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
 * Resolves when it is gone. Two engines that both have the name are told apart by `provider`, which is asked for then.
 * @throws AppError `invalid_input` for no name, for the active model and for one of two, `model_not_found`, or what the operation failed with
 */
export async function removeModel(
  { models, registry, operations }: RemovalParts,
  asked: string,
  provider?: string,
): Promise<void> {
  if (!/^[\w\-.:/]{1,300}$/.test(asked) || asked.includes('..'))
    throw new AppError('invalid_input', 'This is no name of a model.');
  const found = await models.find(asked, provider);
  const name = found?.model.name ?? asked;
  // What is deleted is deleted for good, so nobody guesses which.
  const owners = provider === undefined ? await removableAt(models, name) : [];
  if (owners.length > 1)
    throw new AppError(
      'invalid_input',
      `${name} is there on ${owners.join(' and ')}; say which one with \`runtime\`.`,
      {
        details: { runtimes: owners },
      },
    );
  if (!found && !registry.manifest(name))
    throw new AppError('model_not_found', `No installed model is called ${name}.`);
  const answering = (await models.activeModel()) === name ? (await models.resolve(name)).runtime.provider : null;
  if (answering !== null && answering === (found?.runtime.provider ?? answering))
    throw new AppError('invalid_input', `${name} is the active model; switch to another one first.`);
  if (found && !registry.manifest(name, found.runtime.provider)) {
    if (!found.model.path && found.runtime.provider !== 'ollama')
      throw new AppError('model_not_found', `${name} belongs to ${found.runtime.provider}, which removes it itself.`);
    registry.record(localManifest(found.model, found.runtime.provider));
  }
  const operation = registry.remove(name, found?.runtime.provider);
  const ended = await operations.settled(operation.operationId);
  if (ended.status === 'completed') return;
  const reason = ended.error?.message ?? ended.message;
  if (ended.error?.code === 'model_in_use') throw new AppError('invalid_input', reason);
  throw new AppError(ended.error?.code ?? 'internal', reason);
}

async function removableAt(models: ModelManager, name: string): Promise<string[]> {
  const all = (await models.list()).models.filter((model) => model.name === name);
  return [
    ...new Set(
      all.filter(({ provider, path }) => path !== null || provider === 'ollama').map(({ provider }) => provider),
    ),
  ];
}
