// What models/ needs from outside. No I/O and no vendor's words in this file.
import type { OfferedAbility } from './discovery-terms.js';
import type { ModelShape } from './fit.js';
import type { ModelManifest } from './manifest.js';
import type { ModelOperation } from './model-operation.js';

export interface UsageSample {
  cpuPercent: number;
  memoryTotalBytes: number;
  memoryUsedBytes: number;
  /** Of the file system that holds the models. */
  diskTotalBytes: number;
  diskUsedBytes: number;
  diskMount: string;
  modelsBytes: number;
  gpu: { percent: number; vramUsedBytes: number; vramTotalBytes: number } | null;
  /** On a logarithmic scale to 10 MB/s; null where the platform does not say. */
  networkPercent: number | null;
}

export interface UsageMeter {
  sample(): Promise<UsageSample>;
}

/** One model a catalogue offers. */
export interface CatalogEntry {
  provider: string;
  modelName: string;
  displayName: string;
  sizeBytes: number | null;
  /** The engine that would run it: `vllm`, `ollama`, `llama-cpp`. */
  runtime: string;
  tags: readonly string[];
  downloads: number | null;
  likes: number | null;
  description: string | null;
  licence: string | null;
  /** The person has to accept terms at the source first. */
  gated: boolean;
  quantization?: string | null;
  /** Why it cannot be used, such as a damaged file. */
  problem?: string | null;
  /** Where the catalogue knows it better than our manifests do. */
  installed?: boolean;
  /** What it is said to be able to do; absent where nobody says. */
  abilities?: readonly OfferedAbility[];
  /** How many weights it has; of several sizes, the smallest. */
  parameters?: number | null;
  /** The sizes it comes in, as its variants are called, smallest first; absent where there is one. */
  sizes?: readonly string[];
  /** From the header of this very file, where that is known already. */
  shape?: ModelShape;
}

/** What of a catalogue is of interest; one that cannot choose by it answers with everything. */
export interface CatalogWish {
  ability?: OfferedAbility | undefined;
  /** Only what the embedded engine could run. */
  gguf?: boolean | undefined;
}

export interface NewsItem {
  title: string;
  url: string;
  summary: string;
  /** ISO 8601, UTC; null where the source does not say. */
  publishedAt: string | null;
  authors: readonly string[] | null;
  source: string;
}

/** A place where models are found. Every call ends by the signal's deadline. @throws AppError from each */
export interface ModelCatalog {
  readonly provider: string;
  /** How long an answer may be told again; half an hour where nothing is said. */
  readonly freshMs?: number;
  /** `trending` by what is asked for now, `catalog` by downloads. */
  list(mode: 'trending' | 'catalog', limit: number, signal: AbortSignal, wish?: CatalogWish): Promise<CatalogEntry[]>;
  /** `total` is what the source says matches, or the number of entries where it does not say. */
  search(
    query: string,
    limit: number,
    signal: AbortSignal,
    wish?: CatalogWish,
  ): Promise<{ entries: CatalogEntry[]; total: number }>;
  news?(
    type: 'blog' | 'papers',
    /** YYYY-MM; empty for the current one. */
    month: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<NewsItem[]>;
}

export interface PlannedFile {
  /** Relative, with `/`, checked: no `..`, no absolute path, no control characters. */
  path: string;
  url: string;
  sizeBytes: number;
  /** Hex; null where the source does not know it. */
  sha256: string | null;
  /** Where the header is known already. */
  shape?: ModelShape;
}

/** What an installation would do, known before its first byte. */
export interface InstallPlan {
  provider: string;
  modelName: string;
  runtime: string;
  /** Pinned: a commit or a digest, never a branch name. */
  revision: string | null;
  files: readonly PlannedFile[];
  totalBytes: number;
  licence: string | null;
  gated: boolean;
  /** Name of the folder or file under the models folder; null where an engine keeps the weights. */
  targetName: string | null;
  /** Where the source has several of this model: told before the choice, and no part of what is kept. */
  variants?: readonly InstallVariant[];
}

/** One of several quantizations of a model. */
export interface InstallVariant {
  /** What stands behind the colon of the model's name. */
  name: string;
  /** Null where the source does not say. */
  sizeBytes: number | null;
  /** It is what this plan brings. */
  chosen: boolean;
}

export interface InstallProgress {
  /** The step's name: `plan`, `download`, `verify`, `register`. */
  step: string;
  receivedBytes: number;
  totalBytes: number | null;
  message: string;
}

/** A file system that weights go to. */
export interface ModelDisk {
  /** The same for two places that share their free space. */
  id: string;
  freeBytes: number;
}

/** Where models are installed from and removed to. */
export interface ModelSource {
  readonly provider: string;
  /** Where the weights go, if not to the models folder; null where nobody here can see that disk. */
  disk?(): Promise<ModelDisk | null>;
  /** @throws AppError `model_not_found`, `gated_model`, `unsafe_model`, `source_unavailable`, `invalid_input` */
  plan(modelName: string, runtime: string, signal: AbortSignal): Promise<InstallPlan>;
  /**
   * Brings the files in place; what an earlier try left is used. Called again after a crash with the same plan.
   * @returns what to record; `status` is `installed`
   * @throws AppError `hash_mismatch`, `download_failed`, `insufficient_storage`, `invalid_model`, `cancelled`
   */
  install(
    plan: InstallPlan,
    onProgress: (progress: InstallProgress) => void,
    signal: AbortSignal,
  ): Promise<ModelManifest>;
  /** Deletes what `install` brought, and what a broken-off one left. Never another application's file. */
  remove(manifest: ModelManifest, signal: AbortSignal): Promise<void>;
}

/** A model file that another application on this machine holds. */
export interface FoundForeignModel {
  /** Unique among those found. */
  id: string;
  name: string;
  application: string;
  path: string;
  sizeBytes: number;
  /** From the application's own bookkeeping; to be checked, not trusted. */
  sha256: string | null;
}

export interface ForeignModelFiles {
  find(): Promise<FoundForeignModel[]>;
  /** @throws AppError `conflict` when the name is taken, `insufficient_storage` */
  adopt(model: FoundForeignModel, fileName: string): Promise<{ path: string; linked: boolean }>;
}

/** Shapes of models from their headers, of files here and of files that are still elsewhere. */
export interface ModelShapes {
  /** @throws AppError `invalid_model` */
  local(path: string): Promise<ModelShape>;
  /** A few ranged requests, no download. @throws AppError `source_unavailable`, `unsupported`, `invalid_model` */
  remote(file: PlannedFile, signal: AbortSignal): Promise<ModelShape>;
}

/** Reads no more than the header. @throws AppError `invalid_model` */
export type ModelFileCheck = (
  path: string,
) => Promise<ModelShape & { hasChatTemplate: boolean; templateNamesTools: boolean; pooling: boolean }>;

/** Hashes of files, known ones from memory. */
export interface FileDigests {
  /** SHA-256 in hex. @throws AppError `invalid_model` when it cannot be read */
  sha256(path: string, onBytes: (done: number, total: number) => void, signal: AbortSignal): Promise<string>;
  /** From memory, if the file is still what it was; null where it would have to be read. */
  known(path: string): Promise<string | null>;
}

export interface OperationRepository {
  save(operation: ModelOperation): void;
  get(operationId: string): ModelOperation | undefined;
  /** Newest first. */
  list(limit: number): ModelOperation[];
  /** Neither completed, failed nor cancelled. */
  unfinished(): ModelOperation[];
}

export interface ManifestRepository {
  all(): ModelManifest[];
  save(manifest: ModelManifest): void;
  delete(name: string, runtime: string): void;
}

export interface ModelVersion {
  versionId: string;
  modelName: string;
  runtime: string;
  /** SHA-256 of the file or the engine's digest; null where the engine has none. */
  digest: string | null;
  source: string | null;
  createdAt: number;
  activatedAt: number | null;
  active: boolean;
  pinned: boolean;
  report: Readonly<Record<string, unknown>> | null;
}

export interface VersionRepository {
  all(): ModelVersion[];
  /** All of them in one commit; those whose ids are in `gone` are deleted by it. */
  save(versions: readonly ModelVersion[], gone?: readonly string[]): void;
}

export type RemoteProvider = 'openai' | 'google';

export interface RemoteModel {
  id: string;
  name: string;
  capabilities: readonly string[];
  alias: string | null;
}

/** The cloud providers' catalogues. No call of it throws for a failing provider: that is what it reports. */
export interface RemoteCatalogs {
  providers(): Promise<
    {
      provider: RemoteProvider;
      status: 'disabled' | 'reachable' | 'degraded';
      checkedAt: number;
      error: string | null;
      latencyMs: number | null;
    }[]
  >;
  /** From memory: the last answer, or the models that are known anyway. Asks nobody, so that a status page opens no connection. */
  known(provider: RemoteProvider): { models: RemoteModel[]; error: string | null };
  catalog(provider: RemoteProvider): Promise<{
    models: RemoteModel[];
    refreshedAt: number;
    /** `openai_api`, `google_api`, `static_fallback_unconfigured`, `static_fallback_error`, `static_fallback_empty_live` */
    source: string;
    error: string | null;
  }>;
  bindings(): Promise<
    {
      serviceId: string;
      endpoint: string;
      provider: RemoteProvider;
      model: string;
      routingMode: 'direct' | 'fallback' | 'hybrid';
      fallbackOrder: number | null;
      status: string;
    }[]
  >;
  validate(
    provider: RemoteProvider,
    model: string | undefined,
  ): Promise<{ valid: boolean; message: string; configured: boolean; latencyMs: number | null }>;
}
