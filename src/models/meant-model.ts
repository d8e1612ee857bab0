// Which of several models of one name is meant. Who only looks is told of the one that answers for the name; what cannot be
// taken back asks which.
import { AppError } from '../shared/errors.js';
import type { InstalledModel } from './installed-models.js';
import type { ModelManager } from './model-manager.js';

/** @throws AppError `model_not_found` that says who has it where the named engine has not */
export async function meantModel(
  models: Pick<ModelManager, 'find' | 'holders'>,
  name: string,
  runtime?: string | null,
): Promise<InstalledModel> {
  const found = await models.find(name, runtime || undefined);
  if (found) return found;
  const others = runtime ? (await models.holders(name)).map((holder) => holder.runtime.provider) : [];
  if (others.length === 0) throw modelNotFound(name);
  throw new AppError('model_not_found', `${runtime} has no model called ${name}; ${others.join(' and ')} has one.`);
}

export const modelNotFound = (name: string): AppError =>
  new AppError('model_not_found', `No installed model is called ${name}.`);

/** @param runtimes  the engines that hold the name. @throws AppError `ambiguous_model` where there are several */
export function refuseAmbiguous(name: string, runtimes: readonly string[]): void {
  if (runtimes.length < 2) return;
  throw new AppError(
    'ambiguous_model',
    `${runtimes.join(' and ')} each hold a model called ${name}: say which one is meant (runtime).`,
    { details: { candidates: runtimes.map((runtime) => ({ name, runtime })) } },
  );
}
