// The GGUF files in the models folder: which there are, and what their headers say. Loads none of them.
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { modelNotFound } from '../../models/meant-model.js';
import { AppError, toAppError } from '../../shared/errors.js';
import type { RuntimeModel } from '../runtime.js';
import { type GgufHeader, readGguf } from './gguf-check.js';

interface Found {
  path: string;
  model: RuntimeModel;
  /** What the header says, or why it was refused. */
  header: GgufHeader | AppError;
}

export type ModelFile = Found & { header: GgufHeader };

export class ModelFiles {
  readonly #folder: string;
  readonly #provider: string;
  readonly #onRefused: (path: string, reason: string) => void;
  readonly #known = new Map<string, { stamp: string; found: Found }>();

  constructor(folder: string, provider: string, onRefused: (path: string, reason: string) => void) {
    this.#folder = folder;
    this.#provider = provider;
    this.#onRefused = onRefused;
  }

  async list(): Promise<RuntimeModel[]> {
    return (await this.#discover()).map(({ model }) => model);
  }

  /** @throws AppError `model_not_found`, `invalid_model` */
  async find(name: string): Promise<ModelFile> {
    const found = (await this.#discover()).find(({ model }) => model.name === name);
    if (!found) throw modelNotFound(name);
    const { header } = found;
    if (header instanceof AppError) throw header;
    return { ...found, header };
  }

  /** Of a file that was looked at before; null where it was not, or was refused. */
  knownHeader(name: string): GgufHeader | null {
    for (const { found } of this.#known.values())
      if (found.model.name === name) return found.header instanceof AppError ? null : found.header;
    return null;
  }

  async #discover(): Promise<Found[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch(() => []);
    const paths: string[] = [];
    for (const entry of entries) {
      const path = join(this.#folder, entry.name);
      if (entry.isFile() && entry.name.endsWith('.gguf')) paths.push(path);
      else if (entry.isDirectory() && !entry.name.startsWith('.')) {
        for (const name of await readdir(path).catch(() => []))
          if (name.endsWith('.gguf')) paths.push(join(path, name));
      }
    }
    const there = new Set(paths);
    for (const path of this.#known.keys()) if (!there.has(path)) this.#known.delete(path);
    const found = await Promise.all(paths.map((path) => this.#inspect(path)));
    return found.filter((model) => model !== null).sort((a, b) => a.model.name.localeCompare(b.model.name));
  }

  async #inspect(path: string): Promise<Found | null> {
    const file = await stat(path).catch(() => undefined);
    if (!file?.isFile()) return null;
    const stamp = `${file.size}:${file.mtimeMs}`;
    const known = this.#known.get(path);
    if (known?.stamp === stamp) return known.found;
    const found = await this.#read(path, file.size, file.mtimeMs);
    this.#known.set(path, { stamp, found });
    return found;
  }

  async #read(path: string, sizeBytes: number, modifiedAt: number): Promise<Found> {
    const model = {
      name: basename(path, '.gguf'),
      provider: this.#provider,
      sizeBytes,
      path,
      digest: null,
      format: 'gguf' as const,
      modifiedAt: Math.round(modifiedAt),
    };
    try {
      const header = await readGguf(path);
      const embedding = !header.hasChatTemplate && (header.pooling || /bert/i.test(header.architecture));
      return {
        path,
        header,
        model: {
          ...model,
          quantization: header.quantization,
          chat: !embedding,
          embedding,
          problem: null,
          family: header.architecture,
          parameterSize: parameterSize(header.parameters),
        },
      };
    } catch (error) {
      const refused = toAppError(error);
      this.#onRefused(path, refused.message);
      return {
        path,
        header: refused,
        model: { ...model, quantization: null, chat: false, embedding: false, problem: refused.message },
      };
    }
  }
}

/** As people write it: `135M`, `7.6B`; undefined where the header has no tensors to count. */
export function parameterSize(parameters: number): string | undefined {
  if (parameters <= 0) return undefined;
  const millions = Math.round(parameters / 1_000_000);
  return millions < 1_000 ? `${millions}M` : `${(parameters / 1_000_000_000).toFixed(1)}B`;
}
