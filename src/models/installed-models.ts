// What the engines say is installed, kept for a moment so that neither a page nor a turn waits for all of them.
import type { Runtime, RuntimeModel } from '../runtimes/runtime.js';
import { toAppError } from '../shared/errors.js';
import { waitAtMost } from '../shared/wait-at-most.js';
import { namesMeantBy } from './model-name.js';

const FRESH_MS = 2_000;
const DEADLINE_MS = 1_500;

interface Seen {
  runtime: Runtime;
  models: RuntimeModel[];
  /** For turns, which look a name up each time. */
  byName: ReadonlyMap<string, RuntimeModel>;
  at: number;
  error: string | null;
  asking: Promise<void> | undefined;
}

export interface InstalledModel {
  runtime: Runtime;
  model: RuntimeModel;
}

export interface InstalledList {
  models: RuntimeModel[];
  /** Engines that did not answer in time, with the reason; their last known models are still in `models`. */
  unavailable: { provider: string; error: string }[];
}

export class InstalledModels {
  readonly #seen: Seen[];
  readonly #deadlineMs: number;

  constructor(runtimes: readonly Runtime[], deadlineMs = DEADLINE_MS) {
    this.#seen = runtimes.map((runtime) => ({
      runtime,
      models: [],
      byName: new Map(),
      at: Number.NEGATIVE_INFINITY,
      error: null,
      asking: undefined,
    }));
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Never later than the deadline, whatever an engine does.
   * @param freshMs  age up to which an engine is not asked again
   */
  async list(freshMs = FRESH_MS): Promise<InstalledList> {
    const asked = this.#seen
      .map((seen) => this.#refresh(seen, ageOf(seen.runtime, freshMs)))
      .filter((asking) => asking !== undefined);
    if (asked.length > 0) await waitAtMost(Promise.all(asked), this.#deadlineMs);
    return {
      models: this.#seen.flatMap(({ models }) => models),
      unavailable: this.#seen.flatMap(({ runtime, error, asking, at }) =>
        error !== null
          ? [{ provider: runtime.provider, error }]
          : asking && at === Number.NEGATIVE_INFINITY
            ? [{ provider: runtime.provider, error: `${runtime.provider} did not answer in time.` }]
            : [],
      ),
    };
  }

  /** From memory, without asking anybody. The preferred engine wins where two have the name. */
  known(name: string, preferred?: string): InstalledModel | undefined {
    for (const meant of namesMeantBy(name)) {
      const found = this.#called(meant, preferred);
      if (found) return found;
    }
    return undefined;
  }

  #called(name: string, preferred: string | undefined): InstalledModel | undefined {
    let found: InstalledModel | undefined;
    for (const { runtime, byName } of this.#seen) {
      const model = byName.get(name);
      if (!model) continue;
      if (runtime.provider === preferred) return { runtime, model };
      found ??= { runtime, model };
    }
    return found;
  }

  /** The same, of every engine that has it. */
  holders(name: string): InstalledModel[] {
    return this.#seen.flatMap(({ runtime, byName }) => {
      const model = byName.get(name);
      return model ? [{ runtime, model }] : [];
    });
  }

  /** After something was installed, removed or switched. */
  forget(): void {
    for (const seen of this.#seen) seen.at = Math.min(seen.at, -FRESH_MS);
  }

  #refresh(seen: Seen, freshMs: number): Promise<void> | undefined {
    if (seen.asking) return seen.asking;
    if (performance.now() - seen.at < freshMs) return undefined;
    seen.asking = seen.runtime
      .listModels(AbortSignal.timeout(this.#deadlineMs * 4))
      .then(
        (models) => {
          seen.models = models;
          // Backwards, so that the first of two with one name wins, as it does in lists.
          seen.byName = new Map(models.toReversed().map((model) => [model.name, model]));
          seen.error = null;
        },
        (error) => {
          seen.error = toAppError(error).message;
        },
      )
      .finally(() => {
        seen.at = performance.now();
        seen.asking = undefined;
      });
    return seen.asking;
  }
}

/** A folder of ours is read in no time; it is the others that must not be asked at every turn. */
const ageOf = ({ endpoint }: Runtime, freshMs: number): number =>
  endpoint === null && freshMs < FRESH_MS ? 0 : freshMs;
