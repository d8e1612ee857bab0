// Where Ollama keeps its weights, when it runs on this machine, so that a pull can be judged before it fills the disk.
import { access, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isLoopback } from '../../config/config.js';

/** Of the service that Ollama's own installer makes on Linux. */
const SERVICE_FOLDER = '/usr/share/ollama/.ollama/models';

/** @returns null where Ollama runs on another machine, whose disk nobody here can see */
export async function ollamaFolder(
  baseUrl: string,
  configured: string | undefined,
  home = homedir(),
): Promise<string | null> {
  if (!isLoopback(new URL(baseUrl).hostname)) return null;
  if (configured) return configured;
  const own = join(home, '.ollama', 'models');
  for (const folder of [own, SERVICE_FOLDER]) if (await readable(folder)) return folder;
  return own;
}

/** Bytes of these layers that Ollama does not have yet; all of them where its folder cannot be read. */
export async function missingBytes(
  folder: string | null,
  layers: readonly { digest: string; size: number }[],
): Promise<number> {
  const sizes = await Promise.all(
    layers.map(async ({ digest, size }) => {
      const there =
        folder === null
          ? undefined
          : await stat(join(folder, 'blobs', digest.replace(':', '-'))).catch(() => undefined);
      return there?.size === size ? 0 : size;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const readable = (folder: string): Promise<boolean> =>
  access(folder).then(
    () => true,
    () => false,
  );
