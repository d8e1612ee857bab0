// Installing from Hugging Face: a single GGUF file for the embedded runtime, or a repository of safetensors for vLLM.
// Pinned to a commit, checked by content, and under its final name only when all of it is right.
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  capabilitiesByFile,
  DEFAULT_CAPABILITIES,
  type ModelCapabilities,
  type ModelManifest,
} from '../../models/manifest.js';
import type { InstallPlan, InstallProgress, ModelFileCheck, ModelSource, PlannedFile } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import type { BandwidthLimit } from '../download/bandwidth-limit.js';
import { downloadRanged } from '../download/ranged-download.js';
import { removeInside } from '../local-folders/local-models.js';
import { ggufFiles, ggufVariants } from './gguf-files.js';
import type { HuggingFaceClient } from './hugging-face-client.js';
import { checkWeights } from './weights-check.js';

const NAME = /^([\w\-.]{1,96}\/[\w\-.]{1,96})(?::([\w\-.]{1,150}))?$/;
const PICKLES = /\.(bin|pt|pth|pkl|pickle|ckpt|h5|msgpack)$/i;
const WANTED = /\.(safetensors|json|txt|model|jinja|tiktoken)$/i;
const PARALLEL_FILES = 3;
const MAX_FILES = 500;
const SMALL_BYTES = 33_554_432;

export interface HuggingFaceModelsOptions {
  client: HuggingFaceClient;
  modelsDir: string;
  checkGguf: ModelFileCheck;
  fetch: typeof fetch;
  limit?: BandwidthLimit;
  retryDelayMs?: number;
  stallMs?: number;
}

export class HuggingFaceModels implements ModelSource {
  readonly provider = 'huggingface';
  readonly #options: HuggingFaceModelsOptions;

  constructor(options: HuggingFaceModelsOptions) {
    this.#options = options;
  }

  async plan(modelName: string, runtime: string, signal: AbortSignal): Promise<InstallPlan> {
    const [, id, selector] = NAME.exec(modelName) ?? [];
    if (!id || modelName.includes('..'))
      throw new AppError('invalid_input', 'Models of Hugging Face are named org/model.');
    const { client } = this.#options;
    const info = await client.info(id, signal);
    const all = info.siblings.map(({ rfilename, size, lfs }): PlannedFile => {
      const digest = lfs?.sha256 ?? lfs?.oid?.replace(/^sha256:/, '') ?? null;
      if (digest !== null && !/^[0-9a-f]{64}$/.test(digest))
        throw new AppError('upstream_protocol', 'The source names a digest that is none.');
      return {
        path: rfilename,
        url: client.fileUrl(id, info.sha, rfilename),
        sizeBytes: lfs?.size ?? size ?? 0,
        sha256: digest,
      };
    });
    const inLlamaCpp = runtime === 'llama-cpp';
    const files = inLlamaCpp ? ggufFiles(id, all, selector) : repositoryFiles(id, all);
    if (files.length > MAX_FILES) throw new AppError('unsafe_model', `${id} has more than ${MAX_FILES} files.`);
    for (const { path } of files) checkPath(path);
    const licence = info.cardData?.license;
    const first = files[0]?.path.split('/').at(-1) ?? '';
    return {
      provider: this.provider,
      modelName,
      runtime,
      revision: info.sha,
      files,
      totalBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      licence: (Array.isArray(licence) ? licence[0] : licence) ?? licenceTag(info.tags) ?? null,
      gated: info.gated === true || typeof info.gated === 'string',
      targetName: inLlamaCpp && files.length === 1 ? first : id.replace('/', '--'),
      ...(inLlamaCpp ? { variants: ggufVariants(all, files) } : {}),
    };
  }

  async install(
    plan: InstallPlan,
    onProgress: (progress: InstallProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelManifest> {
    const { modelsDir, checkGguf } = this.#options;
    const incoming = this.#incoming(plan);
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    const digests = await this.#download(plan, incoming, onProgress, signal);
    onProgress({
      step: 'verify',
      message: 'Checking the files',
      receivedBytes: plan.totalBytes,
      totalBytes: plan.totalBytes,
    });
    const capabilities = await this.#check(plan, incoming, checkGguf);
    const single = plan.files.length === 1 && plan.runtime === 'llama-cpp';
    const target = await this.#place(plan, incoming, modelsDir, single);
    await rm(incoming, { recursive: true, force: true });
    const file = plan.files[0]?.path ?? '';
    return {
      // The name under which the engine lists it.
      name: single ? (target.split('/').at(-1) ?? '').replace(/\.gguf$/i, '') : plan.modelName,
      provider: this.provider,
      displayName: plan.modelName.split('/').at(-1) ?? plan.modelName,
      sizeBytes: plan.totalBytes,
      status: 'installed',
      capabilities,
      localPath: target,
      sha256: single ? (digests.get(file) ?? null) : null,
      installedAt: null,
      runtime: plan.runtime,
      source: `${plan.modelName.split(':')[0]}@${plan.revision}${single ? `/${file}` : ''}`,
      licence: plan.licence,
      owned: true,
      probe: null,
    };
  }

  async remove({ localPath, name }: ModelManifest): Promise<void> {
    if (!localPath) throw new AppError('model_not_found', `${name} has no files here.`);
    await removeInside(this.#options.modelsDir, localPath);
  }

  #incoming(plan: InstallPlan): string {
    const safe = plan.modelName.replace(/[^\w\-.]/g, '--');
    return join(this.#options.modelsDir, '.incoming', `${safe}@${plan.revision?.slice(0, 12)}`);
  }

  async #download(
    plan: InstallPlan,
    incoming: string,
    onProgress: (progress: InstallProgress) => void,
    signal: AbortSignal,
  ): Promise<Map<string, string | null>> {
    const { client, fetch: ask, limit, retryDelayMs, stallMs } = this.#options;
    const received = new Map<string, number>();
    const digests = new Map<string, string | null>();
    const tell = (path: string, bytes: number) => {
      received.set(path, bytes);
      const sum = [...received.values()].reduce((all, one) => all + one, 0);
      onProgress({ step: 'download', message: path, receivedBytes: sum, totalBytes: plan.totalBytes });
    };
    // One failure stops the others: what they would still fetch may never be used.
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const queue = [...plan.files];
    const worker = async () => {
      for (let file = queue.shift(); file; file = queue.shift()) {
        const { path, url, sizeBytes, sha256 } = file;
        const target = join(incoming, path);
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        const there = await stat(target).catch(() => undefined);
        if (there?.isFile() && there.size === sizeBytes) {
          // Whole and verified in an earlier attempt: it has its final name.
          digests.set(path, sha256);
          tell(path, sizeBytes);
          continue;
        }
        const digest = await downloadRanged(
          { url, token: client.token, fetch: ask, limit, retryDelayMs, stallMs },
          { sizeBytes, sha256 },
          `${target}.part`,
          target,
          (bytes) => tell(path, bytes),
          both,
        );
        digests.set(path, digest);
      }
    };
    let failure: unknown;
    await Promise.all(
      Array.from({ length: Math.min(PARALLEL_FILES, queue.length) }, () =>
        worker().catch((error) => {
          failure ??= error;
          stop.abort();
        }),
      ),
    );
    if (failure) throw failure;
    return digests;
  }

  async #check(plan: InstallPlan, incoming: string, checkGguf: ModelFileCheck): Promise<ModelCapabilities> {
    let capabilities: ModelCapabilities = DEFAULT_CAPABILITIES;
    try {
      for (const { path } of plan.files) {
        const file = join(incoming, path);
        if (/\.gguf$/i.test(path)) {
          capabilities = capabilitiesByFile(await checkGguf(file), capabilities);
        } else await checkWeights(file, path);
      }
      return await readConfig(incoming, capabilities);
    } catch (error) {
      // Nothing of a refused model stays, or the next attempt would find it "whole".
      await rm(incoming, { recursive: true, force: true });
      throw error;
    }
  }

  async #place(plan: InstallPlan, incoming: string, modelsDir: string, single: boolean): Promise<string> {
    if (!single) {
      const target = join(modelsDir, plan.targetName ?? '');
      await rm(target, { recursive: true, force: true });
      await rename(incoming, target);
      return target;
    }
    const [file] = plan.files;
    const name = plan.targetName ?? '';
    const preferred = join(modelsDir, name);
    const there = await stat(preferred).catch(() => undefined);
    // Another model of the same file name stays what it is.
    const target =
      there && there.size !== file?.sizeBytes ? join(modelsDir, `${plan.modelName.split('/')[0]}--${name}`) : preferred;
    await rename(join(incoming, file?.path ?? ''), target);
    return target;
  }
}

function repositoryFiles(id: string, all: PlannedFile[]): PlannedFile[] {
  const code = all.find(({ path }) => path.endsWith('.py'));
  if (code)
    throw new AppError(
      'unsafe_model',
      `${id} brings code of its own (${code.path}), which vLLM would run; it is not installed.`,
    );
  const weights = all.filter(({ path }) => path.endsWith('.safetensors'));
  if (weights.length === 0)
    throw new AppError(
      'unsafe_model',
      all.some(({ path }) => PICKLES.test(path))
        ? `${id} has its weights only as pickles, which run a program when loaded; it is not installed.`
        : `${id} has no safetensors weights; ask for a GGUF with the runtime llama-cpp.`,
    );
  return all.filter(({ path }) => WANTED.test(path) && !PICKLES.test(path));
}

/** @throws AppError `unsafe_model` for a name that would leave its folder or mean something to the system */
function checkPath(path: string): void {
  const parts = path.split('/');
  const fine = parts.every(
    (part) =>
      part !== '' &&
      part !== '.' &&
      part !== '..' &&
      !/[\\:*?"<>|\p{Cc}]/u.test(part) &&
      !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part),
  );
  if (!fine || path.length > 500)
    throw new AppError('unsafe_model', 'The repository names a file in a way that is not safe.');
}

const licenceTag = (tags: readonly string[] | null | undefined): string | undefined =>
  tags?.find((tag) => tag.startsWith('license:'))?.slice('license:'.length);

async function readConfig(folder: string, capabilities: ModelCapabilities): Promise<ModelCapabilities> {
  const read = async (name: string): Promise<Record<string, unknown>> => {
    const path = join(folder, name);
    const file = await stat(path).catch(() => undefined);
    if (!file?.isFile() || file.size > SMALL_BYTES) return {};
    try {
      const value: unknown = JSON.parse(await readFile(path, 'utf8'));
      return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    } catch {
      throw new AppError('invalid_model', `${name} is no JSON.`);
    }
  };
  const config = await read('config.json');
  if ('auto_map' in config)
    throw new AppError('unsafe_model', 'The model asks for code of its own to be run (auto_map); it is not installed.');
  const tokenizer = await read('tokenizer_config.json');
  const context = config['max_position_embeddings'];
  const template = typeof tokenizer['chat_template'] === 'string' ? tokenizer['chat_template'] : null;
  return {
    ...capabilities,
    ...(typeof context === 'number' && context > 0 ? { maxContextLength: context } : {}),
    ...(template === null
      ? {}
      : {
          promptTemplate: template.slice(0, 20_000),
          supportsSystemRole: template.includes('system'),
          supportsFunctionCalling: template.includes('tools'),
        }),
  };
}
