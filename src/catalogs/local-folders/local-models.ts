// Models that are files on this machine: those in our own folder, and those in folders the person has named. A file of
// another folder is taken over by a hard link; removing deletes our name for it and never the original.
import { realpath, rm, stat } from 'node:fs/promises';
import { basename, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OfferedAbility } from '../../models/discovery-terms.js';
import type { ModelShape } from '../../models/fit.js';
import { capabilitiesByFile, type ModelManifest } from '../../models/manifest.js';
import type {
  CatalogEntry,
  FileDigests,
  InstallPlan,
  InstallProgress,
  ModelCatalog,
  ModelFileCheck,
  ModelSource,
} from '../../models/ports.js';
import { AppError, toAppError } from '../../shared/errors.js';
import { isBelow } from '../../shared/is-within.js';
import { linkModel } from './link-model.js';
import { filesBelow, isGguf } from './model-files.js';

const READ_AT_ONCE = 8;
const MAX_KEPT = 10_000;

export interface LocalModelsOptions {
  modelsDir: string;
  /** Absolute paths, `MODELS_FOLDERS`. */
  folders: readonly string[];
  checkFile: ModelFileCheck;
  digests: FileDigests;
}

interface LocalFile {
  path: string;
  name: string;
  sizeBytes: number;
  ours: boolean;
  /** From its header; null where it is damaged. */
  shape: ModelShape | null;
  abilities: readonly OfferedAbility[];
  /** Why it cannot be used; null when it can. */
  problem: string | null;
}

export class LocalModels implements ModelCatalog, ModelSource {
  readonly provider = 'local';
  /** What lies in a folder is looked at each time; headers are kept. */
  readonly freshMs = 0;
  readonly #options: LocalModelsOptions;
  readonly #headers = new Map<string, { stamp: string; facts: Pick<LocalFile, 'shape' | 'abilities' | 'problem'> }>();

  constructor(options: LocalModelsOptions) {
    this.#options = options;
  }

  async list(_mode: 'trending' | 'catalog', limit: number): Promise<CatalogEntry[]> {
    return (await this.#files()).slice(0, limit).map(toEntry);
  }

  async search(query: string, limit: number): Promise<{ entries: CatalogEntry[]; total: number }> {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = (await this.#files()).filter(({ path }) => words.every((word) => path.toLowerCase().includes(word)));
    return { entries: found.slice(0, limit).map(toEntry), total: found.length };
  }

  async plan(modelName: string, runtime: string): Promise<InstallPlan> {
    const file = await this.#file(modelName);
    if (runtime !== 'llama-cpp') throw new AppError('invalid_input', 'GGUF files run in llama-cpp.');
    if (file.problem !== null) throw new AppError('invalid_model', file.problem);
    if (file.ours) throw new AppError('conflict', `${modelName} lies in the models folder already.`);
    const [here, there] = await Promise.all([stat(this.#options.modelsDir), stat(file.path)]);
    return {
      provider: this.provider,
      modelName,
      runtime,
      revision: null,
      files: [
        {
          path: `${modelName}.gguf`,
          url: pathToFileURL(file.path).href,
          sizeBytes: file.sizeBytes,
          sha256: null,
        },
      ],
      // On one file system two names share the bytes.
      totalBytes: here.dev === there.dev ? 0 : file.sizeBytes,
      licence: null,
      gated: false,
      targetName: `${modelName}.gguf`,
    };
  }

  async install(
    { modelName, targetName }: InstallPlan,
    onProgress: (progress: InstallProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelManifest> {
    const { checkFile, digests, modelsDir } = this.#options;
    // Looked up again: only what lies in a named folder is ever linked, whatever a plan says.
    const file = await this.#file(modelName);
    const facts = await checkFile(file.path);
    const sha256 = await digests.sha256(
      file.path,
      (receivedBytes, totalBytes) =>
        onProgress({ step: 'verify', message: 'Reading the file', receivedBytes, totalBytes }),
      signal,
    );
    const { path, linked } = file.ours
      ? // Linked already by a try that could not say so any more.
        { path: file.path, linked: (await stat(file.path)).nlink > 1 }
      : await linkModel(file.path, modelsDir, targetName ?? `${modelName}.gguf`);
    return {
      name: modelName,
      provider: this.provider,
      displayName: modelName,
      sizeBytes: file.sizeBytes,
      status: 'installed',
      capabilities: capabilitiesByFile(facts),
      localPath: path,
      sha256,
      installedAt: null,
      runtime: 'llama-cpp',
      source: `file:${file.path}`,
      licence: null,
      owned: !linked,
      probe: null,
    };
  }

  async remove({ localPath, name }: ModelManifest): Promise<void> {
    if (!localPath) throw new AppError('model_not_found', `${name} has no file here.`);
    await removeInside(this.#options.modelsDir, localPath);
  }

  async #file(modelName: string): Promise<LocalFile> {
    const file = (await this.#files()).find(({ name }) => name === modelName);
    if (!file)
      throw new AppError('model_not_found', `There is no file ${modelName}.gguf in the folders that are searched.`);
    return file;
  }

  /** Ours first; of files with one name the first counts, as a name is all that a request can say. */
  async #files(): Promise<LocalFile[]> {
    const { modelsDir, folders } = this.#options;
    const groups = await Promise.all([modelsDir, ...folders].map((folder) => filesBelow(folder, isGguf)));
    const named = new Map<string, { path: string; ours: boolean }>();
    for (const [index, paths] of groups.entries()) {
      for (const path of paths.sort()) {
        // Downloads that are under way lie in folders with a dot.
        if (index === 0 && path.slice(modelsDir.length).includes(`${sep}.`)) continue;
        const name = nameOf(path);
        if (!named.has(name)) named.set(name, { path, ours: index === 0 });
      }
    }
    const waiting = [...named.entries()];
    const files: LocalFile[] = [];
    while (waiting.length > 0) {
      const batch = waiting.splice(0, READ_AT_ONCE);
      const read = await Promise.all(batch.map(([name, { path, ours }]) => this.#inspect(name, path, ours)));
      files.push(...read.filter((file) => file !== null));
    }
    return files;
  }

  async #inspect(name: string, path: string, ours: boolean): Promise<LocalFile | null> {
    const file = await stat(path).catch(() => undefined);
    if (!file?.isFile()) return null;
    const stamp = `${file.size}:${file.mtimeMs}`;
    let known = this.#headers.get(path);
    if (known?.stamp !== stamp) {
      const facts = await this.#options.checkFile(path).then(
        (header) => ({ shape: shapeOf(header), abilities: abilitiesOf(header), problem: null }),
        (error) => ({ shape: null, abilities: [], problem: toAppError(error).message }),
      );
      known = { stamp, facts };
      if (this.#headers.size >= MAX_KEPT) this.#headers.clear();
      this.#headers.set(path, known);
    }
    return { path, name, sizeBytes: file.size, ours, ...known.facts };
  }
}

/** As the embedded engine names it, within what a request may say. */
const nameOf = (path: string): string =>
  basename(path)
    .replace(/\.gguf$/i, '')
    .replace(/[^\w\-.]/g, '-')
    .replace(/\.\.+/g, '.')
    .replace(/^\.+/, '');

const toEntry = (file: LocalFile): CatalogEntry => ({
  provider: 'local',
  modelName: file.name,
  displayName: file.name,
  sizeBytes: file.sizeBytes,
  runtime: 'llama-cpp',
  tags: file.shape?.quantization ? [file.shape.quantization] : [],
  downloads: null,
  likes: null,
  description: file.path,
  licence: null,
  gated: false,
  quantization: file.shape?.quantization ?? null,
  problem: file.problem,
  installed: file.ours,
  abilities: file.abilities,
  parameters: file.shape?.parameters ?? null,
  ...(file.shape ? { shape: file.shape } : {}),
});

type Header = Awaited<ReturnType<ModelFileCheck>>;

/** No more than is shown: thousands of headers are kept. */
const shapeOf = (header: Header): ModelShape => ({
  fileBytes: header.fileBytes,
  layers: header.layers,
  kvHeads: header.kvHeads,
  keyLength: header.keyLength,
  valueLength: header.valueLength,
  contextLength: header.contextLength,
  parameters: header.parameters,
  quantization: header.quantization,
  vocabulary: header.vocabulary,
});

const abilitiesOf = ({ hasChatTemplate, templateNamesTools, pooling }: Header): OfferedAbility[] => {
  if (!hasChatTemplate) return pooling ? ['embedding'] : [];
  return templateNamesTools ? ['chat', 'tools'] : ['chat'];
};

/** Deletes a file or folder that lies within `folder`, links resolved; a missing one is done. @throws AppError `forbidden` */
export async function removeInside(folder: string, path: string): Promise<void> {
  const home = await realpath(folder);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return;
  if (!isBelow(home, real))
    throw new AppError('forbidden', `${path} does not lie in the models folder; it was left alone.`);
  await rm(real, { recursive: true, force: true });
}
