// What was chosen to answer, kept across restarts: a local model and its engine, and a cloud in their place where one was
// activated. Whether any of it can answer now is the ModelManager's to find out.

const MODEL_KEY = 'active_model';
const SERVER_KEY = 'active_server';
/** `provider|model`; empty once a local engine was chosen again. */
const CLOUD_KEY = 'active_cloud';
const lastKey = (provider: string) => `last_model:${provider}`;
const previousKey = (provider: string) => `previous_model:${provider}`;

/** Where small choices are remembered. */
export interface ActiveModelMemory {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

/** A cloud engine activated in place of a local one. Which local model would answer otherwise stays known. */
export interface CloudChoice {
  provider: string;
  model: string;
}

export interface ConfiguredChoice {
  /** `LLM_MODEL_NAME`; empty where it is not set. */
  model: string;
  /** A cloud engine that the settings name, until somebody chooses. */
  cloud: CloudChoice | null;
}

export class ActiveChoice {
  readonly #memory: ActiveModelMemory;
  readonly #configured: ConfiguredChoice;

  constructor(memory: ActiveModelMemory, configured: ConfiguredChoice) {
    this.#memory = memory;
    this.#configured = configured;
  }

  /** The local model's name; null where neither a person nor the settings named one. */
  get model(): string | null {
    return this.#memory.get(MODEL_KEY) || this.#configured.model || null;
  }

  /** The local engine. */
  get server(): string | undefined {
    return this.#memory.get(SERVER_KEY) || undefined;
  }

  get cloud(): CloudChoice | null {
    const stored = this.#memory.get(CLOUD_KEY);
    if (stored === undefined) return this.#configured.cloud;
    const cut = stored.indexOf('|');
    return cut === -1 ? null : { provider: stored.slice(0, cut), model: stored.slice(cut + 1) };
  }

  /** What was last chosen on an engine, and what before it; empty where nothing was. */
  lastOn(provider: string): { last: string; previous: string } {
    return {
      last: this.#memory.get(lastKey(provider)) ?? '',
      previous: this.#memory.get(previousKey(provider)) ?? '',
    };
  }

  /** From now on this one, on whatever engine lists it. */
  hold(model: string): void {
    this.#memory.set(MODEL_KEY, model);
  }

  choose(model: string, provider: string): void {
    const { last } = this.lastOn(provider);
    if (last && last !== model) this.#memory.set(previousKey(provider), last);
    this.#memory.set(lastKey(provider), model);
    this.#memory.set(MODEL_KEY, model);
    this.#memory.set(SERVER_KEY, provider);
    this.#memory.set(CLOUD_KEY, '');
  }

  chooseCloud({ provider, model }: CloudChoice): void {
    this.#memory.set(CLOUD_KEY, `${provider}|${model}`);
  }
}
