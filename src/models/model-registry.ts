// ModelRegistry (`model_registry`): which models exist, here and at the places they come from. Asks catalogues, keeps
// manifests, starts operations; touches no network and no disk itself.
import { AppError } from '../shared/errors.js';
import { CatalogIndex } from './catalog-index.js';
import type { ModelManifest } from './manifest.js';
import { modelNotFound, refuseAmbiguous } from './meant-model.js';
import type { ModelOperation, OperationContext } from './model-operation.js';
import type { ModelOperations } from './operations.js';
import type {
  CatalogEntry,
  CatalogWish,
  InstallPlan,
  ManifestRepository,
  ModelCatalog,
  ModelDisk,
  ModelSource,
  NewsItem,
} from './ports.js';
import { type PullTarget, pullTarget } from './pull-name.js';
import { type AwaitedListing, asTimeout, type Listing, RememberedListings } from './remembered-listings.js';

/** A search in what is known of every catalogue. */
const ALL = 'all';
/** Places that are known and have nothing to choose from: what vLLM runs is found at Hugging Face. */
const WITHOUT_CATALOGUE: readonly string[] = ['vllm'];
/** What Venom offers itself. */
const BUNDLED = 'python-index';
const NOTHING = { items: [], stale: false, error: null };
const DEADLINE_MS = 3_000;
const LONG_DEADLINE_MS = 10_000;
/** A page that asks again and again while others answer must not knock at a dead one each time. */
const REST_MS = 3_000;
/** Searches are many; one is asked again while a person turns over its filters. */
const SEARCH_FRESH_MS = 5 * 60_000;
const LIMIT = 100;
/** Free space left over beside every installation. */
const SPARE_BYTES = 256 * 1_048_576;

/** What stands in the way of an installation, or that nothing does. */
export interface Preflight {
  verdict: 'ok' | 'warn' | 'no';
  reasons: { code: string; message: string }[];
  plan: InstallPlan | null;
  /** `freeBytes` is null where nobody here can see the disk. */
  disk: DiskNeed;
}

interface DiskNeed {
  freeBytes: number | null;
  reservedBytes: number;
  neededBytes: number;
}

/** What an installation may write to: the free bytes within our limits, and how to name the disk in a ledger. */
interface Room {
  id: string | null;
  freeBytes: number | null;
}

export interface ModelRegistryOptions {
  catalogs: readonly ModelCatalog[];
  sources: readonly ModelSource[];
  manifests: ManifestRepository;
  operations: ModelOperations;
  now: () => number;
  /** Where models are kept, if their source says nothing else. */
  disk: () => Promise<ModelDisk>;
  /** Bytes the models may take; 0 = what the disk has. */
  diskLimitBytes: number;
  modelsBytes: () => Promise<number>;
  /** Looked up before a removal. @returns why it may not go, or null */
  inUse: (name: string, runtime: string) => Promise<string | null>;
  /** Before a model is added to those that are here. */
  beforeAdding: () => Promise<void>;
  /** The engines have other models from now on. */
  onChanged: () => void;
}

export class ModelRegistry {
  readonly #options: ModelRegistryOptions;
  readonly #manifests = new Map<string, ModelManifest>();
  readonly #lists: RememberedListings<CatalogEntry>;
  readonly #index = new CatalogIndex();
  readonly #news: RememberedListings<NewsItem>;

  constructor(options: ModelRegistryOptions) {
    this.#options = options;
    this.#lists = new RememberedListings(options.now);
    this.#news = new RememberedListings(options.now);
    for (const manifest of options.manifests.all())
      this.#manifests.set(keyOf(manifest.name, manifest.runtime), manifest);
    options.operations.handle('install', (context) => this.#install(context));
    options.operations.handle('remove', (context) => this.#remove(context));
  }

  /** @throws AppError `invalid_input` for a provider without a catalogue */
  async list(
    mode: 'trending' | 'catalog',
    provider: string | undefined,
    limit: number,
  ): Promise<Listing<CatalogEntry>> {
    if (provider !== undefined && WITHOUT_CATALOGUE.includes(provider)) return NOTHING;
    const catalogs = provider === undefined ? this.#options.catalogs : [this.#catalog(provider)];
    const answers = await Promise.all(
      catalogs.map((catalog) =>
        this.#lists.get({
          key: `${catalog.provider}:${mode}:${limit}`,
          place: catalog.provider,
          ask: (signal) => catalog.list(mode, bounded(limit), signal),
          waitMs: DEADLINE_MS,
          freshMs: catalog.freshMs,
        }),
      ),
    );
    for (const { items } of answers) this.#index.add(items);
    return {
      items: answers.flatMap(({ items }) => items),
      stale: answers.some(({ stale }) => stale),
      error: joined(answers.map(({ error }) => error)),
    };
  }

  /**
   * One page. `all` asks nobody and answers from what is known of every catalogue; the same is told, and said to be stale,
   * where a catalogue cannot be asked.
   */
  async search(
    query: string,
    provider: string,
    limit: number,
    page: number,
  ): Promise<Listing<CatalogEntry> & { total: number }> {
    const known = (of?: string) => {
      const { entries, total } = this.#index.search(query, { provider: of, limit, offset: (page - 1) * limit });
      return { items: entries, total };
    };
    if (WITHOUT_CATALOGUE.includes(provider)) return { ...NOTHING, total: 0 };
    if (provider === ALL) return { ...known(), stale: false, error: null };
    const catalog = this.#catalog(provider);
    try {
      const { entries, total } = await catalog.search(
        query,
        Math.min(bounded(limit) * page, 1_000),
        AbortSignal.timeout(LONG_DEADLINE_MS),
      );
      this.#index.add(entries);
      return { items: entries.slice((page - 1) * limit, page * limit), total, stale: false, error: null };
    } catch (error) {
      return { ...known(provider), stale: true, error: asTimeout(error, provider).message };
    }
  }

  /** Those with a catalogue. */
  places(): string[] {
    return this.#options.catalogs.map(({ provider }) => provider);
  }

  /**
   * What one catalogue has of what is trending or was searched for. Waited for no longer than `waitMs`, and not at all while
   * it fails: what comes later is there the next time.
   *
   * @throws AppError `invalid_input` for a provider without a catalogue
   */
  async offered(
    provider: string,
    { query, wish, limit, waitMs }: { query: string; wish: CatalogWish; limit: number; waitMs: number },
  ): Promise<AwaitedListing<CatalogEntry>> {
    const catalog = this.#catalog(provider);
    const most = bounded(limit);
    const listing = await this.#lists.get({
      key: JSON.stringify([provider, query, wish.ability, wish.gguf, most]),
      place: provider,
      ask: async (signal) => {
        const entries = query
          ? (await catalog.search(query, most, signal, wish)).entries
          : await catalog.list('trending', most, signal, wish);
        this.#index.add(entries);
        return entries;
      },
      waitMs,
      restMs: REST_MS,
      freshMs: catalog.freshMs ?? (query ? SEARCH_FRESH_MS : undefined),
    });
    if (listing.items.length > 0 || listing.error === null || !query) return listing;
    return { ...listing, items: this.#index.search(query, { provider, limit: most }).entries };
  }

  async news(provider: string, type: 'blog' | 'papers', month: string, limit: number): Promise<Listing<NewsItem>> {
    if (WITHOUT_CATALOGUE.includes(provider)) return NOTHING;
    const catalog = this.#catalog(provider);
    if (!catalog.news) return NOTHING;
    const ask = catalog.news.bind(catalog);
    return this.#news.get({
      key: `${provider}:${type}:${month}:${limit}`,
      place: provider,
      ask: (signal) => ask(type, month, bounded(limit), signal),
      waitMs: DEADLINE_MS,
    });
  }

  manifests(): ModelManifest[] {
    return [...this.#manifests.values()];
  }

  /** Without a runtime the first that has the name. */
  manifest(name: string, runtime?: string): ModelManifest | undefined {
    if (runtime !== undefined) return this.#manifests.get(keyOf(name, runtime));
    return this.manifests().find((manifest) => manifest.name === name);
  }

  /** Whether a model of a catalogue is here, under whatever name its engine has for it. */
  isInstalled({ provider, modelName, installed }: CatalogEntry): boolean {
    return (
      installed === true ||
      this.manifests().some(
        ({ name, source, provider: from }) =>
          name === modelName ||
          (from === provider && (name.startsWith(`${modelName}:`) || (source?.startsWith(`${modelName}@`) ?? false))),
      )
    );
  }

  /** Keeps what was learned of a model. */
  record(manifest: ModelManifest): void {
    this.#options.manifests.save(manifest);
    this.#manifests.set(keyOf(manifest.name, manifest.runtime), manifest);
  }

  #forget(name: string, runtime: string): void {
    this.#options.manifests.delete(name, runtime);
    this.#manifests.delete(keyOf(name, runtime));
  }

  /** What an installation would meet, before its first byte. Never throws for a reason it can name. */
  async preflight(name: string, provider: string, runtime: string): Promise<Preflight> {
    const reasons: Preflight['reasons'] = [];
    let plan: InstallPlan | null = null;
    try {
      plan = await this.#source(provider).plan(name, runtime, AbortSignal.timeout(LONG_DEADLINE_MS));
    } catch (error) {
      const { code, message } = asTimeout(error, provider);
      reasons.push({ code, message });
    }
    const neededBytes = plan?.totalBytes ?? 0;
    const room = await this.#roomOf(this.#sourceOf(provider));
    const disk = {
      freeBytes: room.freeBytes,
      reservedBytes: this.#options.operations.reservedBytes(undefined, room.id),
      neededBytes,
    };
    const short = this.#shortage(disk);
    if (short) reasons.push({ code: 'insufficient_storage', message: short });
    const blocked = reasons.length > 0;
    if (plan && room.freeBytes === null)
      reasons.push({
        code: 'storage_unknown',
        message: 'Its disk belongs to another machine and cannot be seen here.',
      });
    if (plan?.gated) reasons.push({ code: 'gated_model', message: 'The owner asks for an agreement at the source.' });
    if (plan && plan.licence === null)
      reasons.push({ code: 'licence_unknown', message: 'The source names no licence.' });
    if (plan?.files.some(({ sha256 }) => sha256 === null))
      reasons.push({ code: 'checksum_unknown', message: 'The source names no checksum for some of the files.' });
    return { verdict: blocked ? 'no' : reasons.length > 0 ? 'warn' : 'ok', reasons, plan, disk };
  }

  /** What would be fetched, pinned. @throws AppError as the source does */
  plan(name: string, provider: string, runtime: string, signal: AbortSignal): Promise<InstallPlan> {
    return this.#source(provider).plan(name, runtime, signal);
  }

  /**
   * Where a model comes from of which no more than the name is given.
   *
   * @throws AppError `invalid_input` where it takes an Ollama and none is here
   */
  async pullTarget(name: string): Promise<PullTarget> {
    const ollama = this.installsFrom('ollama');
    const bundled = ollama ? [] : (await this.list('catalog', BUNDLED, LIMIT)).items;
    const target = pullTarget(name, { bundled: new Set(bundled.map(({ modelName }) => modelName)), ollama });
    if (!this.installsFrom(target.provider))
      throw new AppError('invalid_input', `There is no Ollama here to fetch ${name}; hf.co/org/model needs none.`);
    return target;
  }

  /** @throws AppError `invalid_input` when the provider cannot be installed from */
  install(name: string, provider: string, runtime: string): ModelOperation {
    this.#source(provider);
    return this.#options.operations.start({ type: 'install', modelName: name, provider, runtime });
  }

  /** Whether models can be fetched from there here. */
  installsFrom(provider: string): boolean {
    return this.#sourceOf(provider) !== undefined;
  }

  /** @throws AppError `model_not_found`, `ambiguous_model` where no runtime says which of several is meant */
  remove(name: string, runtime?: string): ModelOperation {
    if (runtime === undefined)
      refuseAmbiguous(
        name,
        this.manifests().flatMap((known) => (known.name === name ? [known.runtime] : [])),
      );
    const manifest = this.manifest(name, runtime);
    if (!manifest) throw modelNotFound(name);
    return this.#options.operations.start({
      type: 'remove',
      modelName: manifest.name,
      provider: manifest.provider,
      runtime: manifest.runtime,
    });
  }

  async #install(context: OperationContext): Promise<Record<string, unknown>> {
    const { operation, signal } = context;
    const source = this.#source(operation.provider);
    // The plan of the first attempt, so that a retry brings the very same bytes.
    let plan = operation.input['plan'] as InstallPlan | undefined;
    if (!plan) {
      context.step('plan', 'Asking the source');
      const { variants: _, ...planned } = await source.plan(operation.modelName, operation.runtime, signal);
      plan = planned;
      context.remember({ plan });
    }
    const { totalBytes } = plan;
    const room = await this.#roomOf(source);
    const reserve = (needed: number): string | null =>
      this.#shortage({
        freeBytes: room.freeBytes,
        reservedBytes: this.#options.operations.reservedBytes(operation.operationId, room.id),
        neededBytes: Math.max(0, needed - operation.receivedBytes),
      });
    // Asked for and reserved without a pause in between: of two that fit alone but not together, one is refused.
    const short = reserve(totalBytes);
    if (short) throw new AppError('insufficient_storage', short);
    context.remember({ disk: room.id });
    context.progress(operation.receivedBytes, totalBytes);
    await this.#options.beforeAdding();
    context.step('download', 'Downloading');
    let step = 'download';
    let reservedBytes = totalBytes;
    let refused: string | null = null;
    const stop = new AbortController();
    const installing = source.install(
      plan,
      (progress) => {
        if (refused !== null) return;
        // Some sources know their size only once they have begun, and then it is judged like any other.
        if ((progress.totalBytes ?? 0) > reservedBytes) {
          reservedBytes = progress.totalBytes ?? 0;
          refused = reserve(reservedBytes);
          if (refused !== null) return stop.abort();
        }
        if (progress.step !== step) {
          step = progress.step;
          context.step(step, progress.message);
        }
        context.progress(progress.receivedBytes, progress.totalBytes ?? totalBytes, progress.message);
      },
      AbortSignal.any([signal, stop.signal]),
    );
    const manifest = await installing.catch((error) => {
      throw refused === null ? error : new AppError('insufficient_storage', refused, { cause: error });
    });
    context.step('register', 'Recording');
    this.record({ ...manifest, installedAt: this.#options.now(), status: 'installed' });
    this.#options.onChanged();
    return { local_path: manifest.localPath, sha256: manifest.sha256, name: manifest.name };
  }

  async #remove(context: OperationContext): Promise<null> {
    const { modelName, runtime } = context.operation;
    const manifest = this.manifest(modelName, runtime);
    // Removed already by an attempt that was cut off before it could say so.
    if (!manifest) return null;
    context.step('check', 'Is it in use?');
    const why = await this.#options.inUse(modelName, runtime);
    if (why !== null) throw new AppError('model_in_use', why);
    context.step('remove', 'Deleting');
    await this.#source(manifest.provider).remove(manifest, context.signal);
    this.#forget(modelName, runtime);
    this.#options.onChanged();
    return null;
  }

  async #roomOf(source: ModelSource | undefined): Promise<Room> {
    const own = source?.disk ? await source.disk() : undefined;
    if (own === null) return { id: null, freeBytes: null };
    // The limit is for our folder; an engine that keeps its own weights has limits of its own.
    if (own !== undefined) return { id: own.id, freeBytes: Math.max(0, own.freeBytes - SPARE_BYTES) };
    const { id, freeBytes: free } = await this.#options.disk();
    const limit = this.#options.diskLimitBytes;
    const allowed = limit > 0 ? Math.max(0, limit - (await this.#options.modelsBytes())) : Number.POSITIVE_INFINITY;
    return { id, freeBytes: Math.min(Math.max(0, free - SPARE_BYTES), allowed) };
  }

  #shortage({ freeBytes, reservedBytes, neededBytes }: DiskNeed): string | null {
    if (freeBytes === null || neededBytes + reservedBytes <= freeBytes) return null;
    const others = reservedBytes > 0 ? ` and running installations still need ${megabytes(reservedBytes)} MB` : '';
    return `It needs ${megabytes(neededBytes)} MB${others}, together ${megabytes(neededBytes + reservedBytes)} MB, but ${megabytes(freeBytes)} MB may be used (disk, and MODELS_DISK_LIMIT_GB).`;
  }

  #catalog(provider: string): ModelCatalog {
    const catalog = this.#options.catalogs.find((candidate) => candidate.provider === provider);
    if (!catalog) throw new AppError('invalid_input', `There is no catalogue of ${provider}.`);
    return catalog;
  }

  #sourceOf(provider: string): ModelSource | undefined {
    return this.#options.sources.find((candidate) => candidate.provider === provider);
  }

  #source(provider: string): ModelSource {
    const source = this.#sourceOf(provider);
    if (source) return source;
    if (provider === 'ollama')
      throw new AppError(
        'invalid_input',
        'There is no Ollama here: start it, or name its address in OLLAMA_ENDPOINT. Models of Hugging Face need none.',
      );
    throw new AppError('invalid_input', `Models cannot be installed from ${provider} here.`);
  }
}

const keyOf = (name: string, runtime: string): string => `${runtime}|${name}`;
const bounded = (limit: number): number => Math.min(Math.max(1, limit), LIMIT);
const megabytes = (bytes: number): number => Math.round(bytes / 1_000_000);
const joined = (texts: (string | null)[]): string | null => texts.filter(Boolean).join('; ') || null;
