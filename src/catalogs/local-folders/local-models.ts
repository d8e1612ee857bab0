// Models that are files in our own folder: removing them is all there is to do.
import { realpath, rm } from 'node:fs/promises';
import { sep } from 'node:path';
import type { ModelManifest } from '../../models/manifest.js';
import type { InstallPlan, ModelSource } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';

export class LocalModels implements ModelSource {
  readonly provider = 'local';
  readonly #modelsDir: string;

  constructor(modelsDir: string) {
    this.#modelsDir = modelsDir;
  }

  async plan(): Promise<InstallPlan> {
    throw new AppError('unsupported', 'A local file is adopted, not installed.');
  }

  async install(): Promise<ModelManifest> {
    throw new AppError('unsupported', 'A local file is adopted, not installed.');
  }

  async remove({ localPath, name }: ModelManifest): Promise<void> {
    if (!localPath) throw new AppError('model_not_found', `${name} has no file here.`);
    await removeInside(this.#modelsDir, localPath);
  }
}

/** Deletes a file or folder that lies within `folder`, links resolved; a missing one is done. @throws AppError `forbidden` */
export async function removeInside(folder: string, path: string): Promise<void> {
  const home = await realpath(folder);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return;
  if (!real.startsWith(home + sep))
    throw new AppError('forbidden', `${path} does not lie in the models folder; it was left alone.`);
  await rm(real, { recursive: true, force: true });
}
