// What a person calls an installed model, as its engine calls it.
import { namesMeantBy } from '../models/model-name.js';
import { AppError } from '../shared/errors.js';
import type { ApiClient } from './api-client.js';

export interface NamedModel {
  name: string;
  provider: string;
}

/** @throws AppError `model_not_found` with what to do next */
export async function installedModel(client: ApiClient, name: string, runtime?: string): Promise<NamedModel> {
  const { models } = await client.get<{ models: (NamedModel & { active: boolean })[] }>('/api/v1/models');
  const named = (wanted: string) =>
    models
      .filter((model) => model.name === wanted && (runtime === undefined || model.provider === runtime))
      .sort((a, b) => Number(b.active) - Number(a.active))[0];
  const found = namesMeantBy(name)
    .map(named)
    .find((model) => model !== undefined);
  if (found) return found;
  const where = runtime === undefined ? '' : ` on ${runtime}`;
  throw new AppError('model_not_found', `No installed model is called ${name}${where}; see \`venom models list\``);
}
