// GGUF files that other applications hold: Ollama's blobs, LM Studio's folders, the Hugging Face cache. They are linked,
// never copied, moved or deleted.
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import type { ForeignModelFiles, FoundForeignModel } from '../../models/ports.js';
import { linkModel } from './link-model.js';
import { filesBelow, isGguf } from './model-files.js';

const MANIFEST_MEDIA = 'application/vnd.ollama.image.model';
const DIGEST = /^sha256:([0-9a-f]{64})$/;
const MAX_MANIFEST_BYTES = 1_048_576;

export interface ForeignFolders {
  ollama: readonly string[];
  lmStudio: readonly string[];
  huggingFace: readonly string[];
}

/** Where these applications keep their models when nobody told them otherwise. */
export const defaultForeignFolders = (home = homedir()): ForeignFolders => ({
  ollama: [join(home, '.ollama', 'models'), '/usr/share/ollama/.ollama/models'],
  lmStudio: [join(home, '.lmstudio', 'models'), join(home, '.cache', 'lm-studio', 'models')],
  huggingFace: [join(home, '.cache', 'huggingface', 'hub')],
});

export class ForeignModels implements ForeignModelFiles {
  readonly #folders: ForeignFolders;
  readonly #modelsDir: string;

  constructor(folders: ForeignFolders, modelsDir: string) {
    this.#folders = folders;
    this.#modelsDir = modelsDir;
  }

  /** An unreadable folder is an empty one: it belongs to somebody else. */
  async find(): Promise<FoundForeignModel[]> {
    const found = await Promise.all([
      ...this.#folders.ollama.map((folder) => ollamaModels(folder)),
      ...this.#folders.lmStudio.map((folder) => ggufFiles(folder, 'lm-studio')),
      ...this.#folders.huggingFace.map((folder) => ggufFiles(folder, 'hugging-face')),
    ]);
    const seen = new Set<string>();
    return found.flat().filter(({ path }) => !seen.has(path) && seen.add(path));
  }

  /**
   * Makes the file a model of this installation under `fileName`, without a second copy of its bytes.
   * @returns the path, and whether it shares its bytes with the original
   * @throws AppError `conflict` when the name is taken, `insufficient_storage`
   */
  async adopt(model: FoundForeignModel, fileName: string): Promise<{ path: string; linked: boolean }> {
    return linkModel(model.path, this.#modelsDir, fileName);
  }
}

async function ollamaModels(folder: string): Promise<FoundForeignModel[]> {
  const models: FoundForeignModel[] = [];
  for (const path of await filesBelow(join(folder, 'manifests'), () => true)) {
    try {
      if ((await stat(path)).size > MAX_MANIFEST_BYTES) continue;
      const manifest = JSON.parse(await readFile(path, 'utf8')) as {
        layers?: { mediaType?: string; digest?: string }[];
      };
      const layer = manifest.layers?.find(({ mediaType }) => mediaType === MANIFEST_MEDIA);
      const sha256 = DIGEST.exec(layer?.digest ?? '')?.[1];
      if (!sha256) continue;
      // Built from the parsed digest alone, whatever else the manifest holds.
      const blob = join(folder, 'blobs', `sha256-${sha256}`);
      const [tag, name] = path.split('/').reverse();
      models.push({
        id: `ollama:${blob}`,
        name: `${name}-${tag}`,
        application: 'ollama',
        path: blob,
        sizeBytes: (await stat(blob)).size,
        sha256,
      });
    } catch {
      // A manifest without its blob, or one that is no manifest: not ours to complain about.
    }
  }
  return models;
}

async function ggufFiles(folder: string, application: string): Promise<FoundForeignModel[]> {
  const paths = await filesBelow(folder, isGguf);
  const models = await Promise.all(
    paths.map(async (path): Promise<FoundForeignModel | undefined> => {
      const file = await stat(path).catch(() => undefined);
      if (!file?.isFile()) return undefined;
      return {
        id: `${application}:${path}`,
        name: basename(path).replace(/\.gguf$/i, ''),
        application,
        path,
        sizeBytes: file.size,
        sha256: null,
      };
    }),
  );
  return models.filter((model) => model !== undefined);
}
