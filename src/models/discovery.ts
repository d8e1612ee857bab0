// Discovery: everything that could be installed, from every catalogue at once, each with a word on whether it would run
// here; chosen and ordered by it. No place that is slow or gone keeps the others waiting.
import { BoundedMap } from '../shared/bounded-map.js';
import { toAppError } from '../shared/errors.js';
import { Slots } from '../shared/slots.js';
import { waitAtMost } from '../shared/wait-at-most.js';
import { chosen, type Discovered, type DiscoveryWish } from './discovery-choice.js';
import { type EntryFit, estimateEntry, judgeShape, offeredBytes, unknownFit } from './entry-fit.js';
import type { MachineFacts, ModelShape } from './fit.js';
import type { FitAdvisor } from './fit-advisor.js';
import { licenceClass } from './licence-class.js';
import type { ModelRegistry } from './model-registry.js';
import type { CatalogEntry, CatalogWish } from './ports.js';
import type { AwaitedListing } from './remembered-listings.js';

/** From each place: what a person may turn over before searching. */
const OFFERED = 100;
/** What is there already is shown after this; what is missing comes with the next question. */
const STRAGGLERS_MS = 300;
/** As long as there is nothing to show at all. */
const NOTHING_YET_MS = 1_500;
const HEADER_MS = 8_000;
const HEADERS_AT_ONCE = 3;
const HEADERS_WAITING = 100;
const HEADER_KEPT_MS = 60 * 60_000;
const HEADERS_KEPT = 1_000;
/** A header that could not be had is not asked for again at once. */
const UNREADABLE_MS = 60_000;

export interface AskedPlace {
  provider: string;
  state: 'fresh' | 'pending' | 'stale' | 'failed';
  error: string | null;
  /** Before anything was chosen from them. */
  count: number;
}

export interface Discoveries {
  found: Discovered[];
  /** On all pages. */
  total: number;
  places: AskedPlace[];
  machine: MachineFacts;
}

interface KnownHeader {
  at: number;
  /** Null where it could not be had. */
  shape: ModelShape | null;
  of: string | null;
}

export interface DiscoveryOptions {
  registry: ModelRegistry;
  fit: FitAdvisor;
  /** Whether models of this engine run on this machine. */
  isHere: (runtime: string) => boolean;
  now: () => number;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #headers = new BoundedMap<KnownHeader>({ entries: HEADERS_KEPT });
  readonly #slots = new Slots(HEADERS_AT_ONCE, HEADERS_WAITING);
  readonly #reading = new Map<string, Promise<KnownHeader>>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** @throws AppError `invalid_input` for a source without a catalogue */
  async find(wish: DiscoveryWish): Promise<Discoveries> {
    const { registry, fit } = this.#options;
    const sources = wish.source === undefined ? registry.places() : [wish.source];
    const machine = await fit.facts();
    const query = wish.query.length < 2 ? '' : wish.query;
    // Where nothing here could run anything else, the catalogue itself leaves it out, or its first pages would hold nothing.
    const asked: CatalogWish = { ability: wish.ability, gguf: wish.fits === true && machine.vramFreeBytes === null };
    const ask = (source: string, waitMs: number) =>
      registry.offered(source, { query, wish: asked, limit: OFFERED, waitMs });
    const listings = await this.#listings(sources, ask);
    const offered = listings.flatMap(({ items }) => items).map((entry) => this.#discovered(entry, machine));
    const found = chosen(offered, wish);
    return {
      found: found.slice((wish.page - 1) * wish.limit, wish.page * wish.limit),
      total: found.length,
      places: sources.map((provider, index) => placeOf(provider, listings[index] as AwaitedListing<CatalogEntry>)),
      machine,
    };
  }

  /**
   * From the model's header, read at its source in a few pieces; known ones from memory. Never throws for a reason it can name.
   *
   * @throws AppError `runtime_busy` when too many are being read already
   */
  async judge(name: string, provider: string, runtime: string): Promise<EntryFit> {
    const machine = this.#options.fit.within(await this.#options.fit.facts(), runtime);
    if (runtime === 'vllm') return unknownFit(machine.vramFreeBytes === null ? 'needs_gpu' : 'size_unknown', machine);
    if (!this.#options.isHere(runtime)) return unknownFit('elsewhere', machine);
    const { shape, of } = await this.#header(name, provider, runtime);
    return shape ? judgeShape(shape, machine, { name, of }) : { ...unknownFit('unreadable', machine), close: false };
  }

  /** The quick ones at once; others are waited for only as long as there is nothing to show. */
  async #listings(
    sources: readonly string[],
    ask: (source: string, waitMs: number) => Promise<AwaitedListing<CatalogEntry>>,
  ): Promise<AwaitedListing<CatalogEntry>[]> {
    const alone = sources.length === 1;
    const listings = await Promise.all(sources.map((source) => ask(source, alone ? NOTHING_YET_MS : STRAGGLERS_MS)));
    if (alone || listings.some(({ items }) => items.length > 0)) return listings;
    const late = sources.flatMap((source, index) =>
      listings[index]?.pending
        ? [
            ask(source, NOTHING_YET_MS).then((listing) => {
              listings[index] = listing;
              if (listing.items.length === 0) throw new Error('nothing to show');
            }),
          ]
        : [],
    );
    await waitAtMost(Promise.any(late), NOTHING_YET_MS);
    return [...listings];
  }

  #discovered(entry: CatalogEntry, all: MachineFacts): Discovered {
    const machine = this.#options.fit.within(all, entry.runtime);
    const known = this.#headers.get(keyOf(entry));
    const fit =
      known?.shape && !entry.problem
        ? judgeShape(known.shape, machine, { name: entry.modelName, of: known.of })
        : estimateEntry(entry, machine, this.#options.isHere(entry.runtime));
    return {
      entry,
      fit: known?.shape === null ? { ...fit, close: false } : fit,
      licence: licenceClass(entry.licence),
      bytes: known?.shape ? { bytes: known.shape.fileBytes, of: known.of } : offeredBytes(entry),
    };
  }

  async #header(name: string, provider: string, runtime: string): Promise<KnownHeader> {
    const key = keyOf({ provider, modelName: name });
    const known = this.#headers.get(key);
    const keptMs = known?.shape ? HEADER_KEPT_MS : UNREADABLE_MS;
    if (known && this.#options.now() - known.at < keptMs) return known;
    const reading = this.#reading.get(key) ?? this.#read(name, provider, runtime);
    this.#reading.set(key, reading);
    try {
      const header = await reading;
      this.#headers.set(key, header);
      return header;
    } finally {
      this.#reading.delete(key);
    }
  }

  async #read(name: string, provider: string, runtime: string): Promise<KnownHeader> {
    const { registry, fit, now } = this.#options;
    const signal = AbortSignal.timeout(HEADER_MS);
    try {
      return await this.#slots.run(async () => {
        const plan = await registry.plan(name, provider, runtime, signal);
        const shape = await fit.shapeOf(plan, signal);
        const variant = plan.variants?.find((one) => one.chosen)?.name;
        return { at: now(), shape, of: variant ?? shape.quantization };
      }, signal);
    } catch (error) {
      if (toAppError(error).code === 'runtime_busy') throw error;
      return { at: now(), shape: null, of: null };
    }
  }
}

const keyOf = ({ provider, modelName }: Pick<CatalogEntry, 'provider' | 'modelName'>) => `${provider}|${modelName}`;

function placeOf(provider: string, { items, stale, error, pending }: AwaitedListing<CatalogEntry>): AskedPlace {
  const state = pending ? 'pending' : !stale ? 'fresh' : items.length > 0 ? 'stale' : 'failed';
  return { provider, state, error: state === 'fresh' ? null : error, count: items.length };
}
