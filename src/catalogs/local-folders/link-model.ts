// Makes a file a model of this installation without a second copy of its bytes, where the disk allows it.
import { copyFile, link, lstat, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.js';

/**
 * @returns the path, and whether it shares its bytes with the original
 * @throws AppError `conflict` when the name is taken, `insufficient_storage`
 */
export async function linkModel(
  original: string,
  modelsDir: string,
  fileName: string,
): Promise<{ path: string; linked: boolean }> {
  const target = join(modelsDir, fileName);
  if (await lstat(target).catch(() => undefined))
    throw new AppError('conflict', `A model file called ${fileName} is here already.`);
  // The cache of Hugging Face holds links to its blobs; a hard link needs the file itself.
  const source = await realpath(original);
  try {
    await link(source, target);
    return { path: target, linked: true };
  } catch (error) {
    // Another file system, or one without hard links.
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  const partial = `${target}.adopt.part`;
  try {
    await copyFile(source, partial);
    await rename(partial, target);
  } catch (cause) {
    await rm(partial, { force: true });
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new AppError('insufficient_storage', 'The disk is full; the model was not adopted.', { cause });
    throw cause;
  }
  return { path: target, linked: false };
}
