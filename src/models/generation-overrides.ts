// Generation parameters a person set for a model on an engine. They come before the engine's defaults and after the
// request's own.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { GenericParams } from '../runtimes/call-params.js';
import { formatOf, schemaFor, validateParams } from '../runtimes/generation-params.js';
import { BoundedMap } from '../shared/bounded-map.js';
import { AppError } from '../shared/errors.js';
import type { GenerationSchema } from './manifest.js';

export interface OverrideMemory {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

type Params = Readonly<Record<string, number | boolean | string>>;

const NONE: Params = Object.freeze({});
/** Models whose parameters are remembered; the state keeps them all. */
const REMEMBERED = 1_000;

export class GenerationOverrides {
  readonly #memory: OverrideMemory;
  readonly #configured: Readonly<Record<string, Record<string, Params>>>;
  readonly #known = new BoundedMap<Params>({ entries: REMEMBERED });
  #updates = 0;

  /** @param configured  `MODEL_GENERATION_OVERRIDES`: engine → model → parameters. @throws AppError `invalid_settings` */
  constructor(memory: OverrideMemory, configured: string) {
    this.#memory = memory;
    try {
      this.#configured = configured ? JSON.parse(configured) : {};
    } catch (cause) {
      throw new AppError('invalid_settings', 'Settings are wrong:\n  MODEL_GENERATION_OVERRIDES: this is no JSON', {
        cause,
      });
    }
  }

  /** How often somebody has set parameters since the start. */
  get updates(): number {
    return this.#updates;
  }

  get(runtime: string, model: string): Params {
    const key = `generation:${runtime}:${model}`;
    const known = this.#known.get(key);
    if (known) return known;
    const stored = this.#memory.get(key);
    const params = stored ? (JSON.parse(stored) as Params) : (this.#configured[runtime]?.[model] ?? NONE);
    this.#known.set(key, params);
    return params;
  }

  /** An empty set goes back to the defaults. @throws AppError `unknown_parameter` that names every problem */
  set(runtime: string, model: string, params: Readonly<Record<string, unknown>>, own?: GenerationSchema): Params {
    const { valid, problems } = validateParams(schemaFor(model, formatOf(runtime), own), params);
    if (problems.length > 0) throw new AppError('unknown_parameter', problems.join('; '));
    const key = `generation:${runtime}:${model}`;
    this.#memory.set(key, JSON.stringify(valid));
    this.#known.set(key, valid);
    this.#updates += 1;
    return valid;
  }

  /** What a request left open, filled in, under generic names. */
  fill(runtime: string, model: string, params: GenericParams): GenericParams {
    const stored = this.get(runtime, model);
    if (stored === NONE) return params;
    const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== null);
    return { ...stored, ...Object.fromEntries(given) };
  }

  /** The same for a call. */
  apply<T extends Omit<LanguageModelV4CallOptions, 'prompt'>>(runtime: string, model: string, options: T): T {
    const params = this.get(runtime, model);
    if (params === NONE) return options;
    const own = (options.providerOptions?.['venom'] ?? {}) as Record<string, unknown>;
    const number = (name: string) => (typeof params[name] === 'number' ? params[name] : undefined);
    const repeatPenalty = own['repeatPenalty'] ?? number('repeat_penalty');
    return {
      ...options,
      temperature: options.temperature ?? number('temperature'),
      maxOutputTokens: options.maxOutputTokens ?? number('max_tokens'),
      topP: options.topP ?? number('top_p'),
      topK: options.topK ?? number('top_k'),
      providerOptions: {
        ...options.providerOptions,
        venom: { ...own, ...(repeatPenalty === undefined ? {} : { repeatPenalty }) } as never,
      },
    };
  }
}
