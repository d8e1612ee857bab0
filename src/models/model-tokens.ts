// Tokens as the model that will answer counts them: by its own tokenizer where the engine lends it, remembered, because the
// same history is counted at every turn; else by an estimate that errs on the safe side.
import { BoundedMap } from '../shared/bounded-map.js';
import type { ModelManager } from './model-manager.js';

/** Fewer than most tokenizers have, so that an estimate does not overrun the window. */
const CHARS_PER_TOKEN = 3;
/** A turn does not wait for a count; an engine that is busy is not asked twice. */
const COUNT_MS = 250;
const REMEMBERED = 2_000;
/** Of all remembered texts together. */
const REMEMBERED_CHARS = 2_000_000;
const LONGEST_KEY_CHARS = 4_000;

export const estimatedTokens = (text: string): number => Math.ceil(text.length / CHARS_PER_TOKEN);

export class ModelTokens {
  readonly #models: Pick<ModelManager, 'find'>;
  readonly #known = new BoundedMap<number>({
    entries: REMEMBERED,
    size: REMEMBERED_CHARS,
    sizeOf: (_tokens, key) => key.length,
  });
  /** Models whose engine did not say, until this moment. */
  readonly #silentUntil = new Map<string, number>();

  constructor(models: Pick<ModelManager, 'find'>) {
    this.#models = models;
  }

  /** Characters of the texts whose counts are remembered. */
  get rememberedChars(): number {
    return this.#known.size;
  }

  async count(model: string, text: string, signal?: AbortSignal): Promise<number> {
    if (text === '') return 0;
    const key = text.length > LONGEST_KEY_CHARS ? null : `${model}\0${text}`;
    const known = key === null ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const counted = await this.#ask(model, text, signal);
    if (counted === null) return estimatedTokens(text);
    if (key !== null) this.#known.set(key, counted);
    return counted;
  }

  async #ask(model: string, text: string, signal: AbortSignal | undefined): Promise<number | null> {
    if ((this.#silentUntil.get(model) ?? 0) > performance.now()) return null;
    const deadline = AbortSignal.timeout(COUNT_MS);
    try {
      const found = await this.#models.find(model);
      const counted = await found?.runtime.countTokens?.(
        model,
        text,
        signal ? AbortSignal.any([signal, deadline]) : deadline,
      );
      if (counted !== undefined && counted !== null) return counted;
    } catch {
      // An estimate serves as well; whoever stopped the turn hears of it elsewhere.
    }
    if (this.#silentUntil.size >= REMEMBERED) this.#silentUntil.clear();
    this.#silentUntil.set(model, performance.now() + 2_000);
    return null;
  }
}
