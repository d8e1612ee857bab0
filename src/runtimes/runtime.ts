// The port every engine that answers prompts implements. An adapter (llama-cpp/, openai-compatible/, ollama/, vllm/,
// pool/) adds nothing to it but what its engine knows.
import type { Readable } from 'node:stream';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { GenericParams } from './call-params.js';
import type { AdaptedParams } from './generation-params.js';

/**
 * What `providerOptions.venom` of a call may say beside parameters the AI SDK has no name for. Engines that cannot hear one
 * leave it out.
 *
 * - `background`: true for work nobody watches, such as probes, summaries and warm-up. It lets people pass, within a bound,
 *   and throws no model out that was used a moment ago. Everything else is interactive.
 * - `sessionId`: whose conversation it is, so that a pool asks the server that has it in its cache.
 * - `keepAlive`: how long the model stays in memory after this answer, as `LLM_KEEP_ALIVE` is written. From then on, until
 *   it is unloaded.
 * - `dropOldest`: true where the oldest turns of a conversation that is too long for the model may go, instead of an error
 *   (`context_length_exceeded`). The embedded engine tells of it by a raw part, `droppedMessages`; Ollama does so unasked.
 * - `quick`: true where the answer alone is wanted, such as a title or a label: on the embedded engine a model that thinks
 *   is kept from it as far as that goes.
 */
export const BACKGROUND = { venom: { background: true } } as const;

/** What the routes and the UI need to know of a runtime without asking it. */
export interface RuntimeDescription {
  /** `llama-cpp`, `ollama`, `vllm`, `openai-compatible`: stable, used in ids and records. */
  readonly provider: string;
  /** Base URL, or null for an engine inside this installation. */
  readonly endpoint: string | null;
}

export interface RuntimeModel {
  readonly name: string;
  readonly provider: string;
  /** Bytes on disk; null where the runtime does not say. */
  readonly sizeBytes: number | null;
  readonly quantization: string | null;
  /** Absolute path for a local file, else null. */
  readonly path: string | null;
  readonly digest: string | null;
  readonly format: 'gguf' | 'ollama' | 'folder';
  readonly chat: boolean;
  readonly embedding: boolean;
  /** Why it cannot be used, such as a damaged file; null when it can. */
  readonly problem: string | null;
  /** When its file was written, or as its server says; milliseconds since the epoch, absent where nobody knows. */
  readonly modifiedAt?: number | undefined;
  /** Such as `llama`; absent where it is not known without asking once more, as is the next. */
  readonly family?: string | undefined;
  /** Such as `7.6B`. */
  readonly parameterSize?: string | undefined;
  /** The model an adapter (LoRA) works on; absent for a model of its own. */
  readonly baseModel?: string;
  /** Of a pool: the addresses of the members that have it. */
  readonly endpoints?: readonly string[];
}

export type RuntimeState = 'online' | 'offline' | 'degraded' | 'ready';

export interface RuntimeHealth {
  readonly state: RuntimeState;
  readonly latencyMs: number | null;
  readonly error: string | null;
  /** Free-form figures for the System page: threads, context, tokens/s measured at load. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a server says of itself, all its clients together. */
export interface EngineLoad {
  /** Requests being answered. */
  readonly running: number;
  /** Requests in its queue. */
  readonly waiting: number;
  /** 0 to 1; null where it does not say. */
  readonly kvCacheUsage: number | null;
}

/** One server of a pool, as it is seen from here. */
export interface PoolMember {
  readonly endpoint: string;
  /** `excluded` until a probe finds it well again. */
  readonly state: 'in-service' | 'excluded';
  /** Requests of ours. */
  readonly inFlight: number;
  readonly served: number;
  readonly failures: number;
  /** Milliseconds since the epoch; when the next probe is due. */
  readonly excludedUntil: number | null;
  readonly lastError: string | null;
  readonly load: EngineLoad | null;
  readonly models: readonly string[];
}

/** How requests of a pool were placed, since start. */
export interface PoolPlacement {
  readonly session: number;
  readonly prefix: number;
  readonly leastLoaded: number;
  /** Tried on another member, because the first one failed before its first byte. */
  readonly movedOn: number;
}

/** A text, or its tokens by the model's own vocabulary. */
export type EmbedInput = string | readonly number[];

export interface EmbedTreatment {
  background?: boolean;
  truncate?: boolean;
  /** Numbers in a vector that are wanted, where the engine lets one choose; others make what they make. */
  dimensions?: number | undefined;
}

/** What of a call costs tokens before the answer. */
export type PromptToCount = Pick<LanguageModelV4CallOptions, 'prompt' | 'tools' | 'toolChoice' | 'providerOptions'>;

export interface Runtime extends RuntimeDescription {
  /** The AI SDK's provider contract. @throws AppError `model_not_found` */
  languageModel(modelName: string): LanguageModelV4;
  /**
   * The same as the model's `doStream`, in batches as they come off the wire: what Direct mode reads where an engine
   * offers it, because one hop per packet is cheaper than one per token.
   */
  streamBatches?(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>>;
  /** Passes an OpenAI-style request on as it is, for engines that speak that wire themselves. */
  forward?(path: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ForwardedAnswer>;
  /**
   * What reaches the engine of parameters under generic names, by the very rules its requests are made with.
   * @param wire  `openai` for what `forward` passes on, `own` for everything else
   */
  adaptParams?(modelName: string, params: GenericParams, wire: 'own' | 'openai'): AdaptedParams;
  /** @throws AppError `provider_unavailable` */
  listModels(signal?: AbortSignal): Promise<RuntimeModel[]>;
  health(signal?: AbortSignal): Promise<RuntimeHealth>;
  /**
   * Vectors in input order.
   * @param treatment  `background` as `providerOptions.venom.background` of an answer; `truncate`: what is too long for the
   * model is cut where the engine can do that, else refused
   * @throws AppError `unsupported` where the model cannot, or the engine takes no tokens; `invalid_input` for a text that is
   * too long, or a token the model does not have
   */
  embed(
    modelName: string,
    inputs: readonly EmbedInput[],
    signal?: AbortSignal,
    treatment?: EmbedTreatment,
  ): Promise<{ vectors: number[][]; tokens: number }>;
  /** Tokens of a conversation and its tools by the model's own tokenizer and template. */
  countPromptTokens?(modelName: string, call: PromptToCount, signal?: AbortSignal): Promise<number>;
  /** What is in memory now, for engines that say so. */
  loaded?(signal?: AbortSignal): Promise<LoadedModelInfo[]>;
  /** What waits, what is in memory and why something had to go, for engines whose memory is ours to manage. */
  scheduler?(): SchedulerState;
  /** What a model took when it was last loaded here, and what had been planned for it from its header alone; null before. */
  measuredMemory?(modelName: string): Promise<MeasuredMemory | null>;
  /** Sets how long this model stays in memory when nobody uses it; empty goes back to the setting. @throws AppError `invalid_input`, `model_not_found` */
  keepAlive?(modelName: string, keepAlive: string): Promise<void>;
  /**
   * Brings the weights into memory.
   * @param treatment  `evict: false` for work that nobody watches and that no other model leaves memory for
   * @throws AppError `insufficient_memory`, `invalid_model`, `runtime_crashed`
   */
  load?(modelName: string, signal?: AbortSignal, treatment?: { evict?: boolean }): Promise<void>;
  /** Whether its weights are in memory, or could come there now without another model having to leave. */
  roomFor?(modelName: string, signal?: AbortSignal): Promise<boolean>;
  /** Frees the weights, and resolves when they are seen to be gone. */
  unload?(modelName: string, signal?: AbortSignal): Promise<void>;
  /** The same weights under another name. @throws AppError `model_not_found`, `invalid_input` */
  copyModel?(source: string, destination: string, signal: AbortSignal): Promise<void>;
  /** A model of another one's weights with instructions of its own, where the engine keeps such. */
  deriveModel?(
    name: string,
    derivation: ModelDerivation,
    onProgress: (message: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** What the engine's metadata says; null when it does not know the model. */
  describeModel?(modelName: string, signal?: AbortSignal): Promise<ModelDescription | null>;
  version?(signal?: AbortSignal): Promise<string | null>;
  /** Null where the engine does not say. */
  engineLoad?(signal?: AbortSignal): Promise<EngineLoad | null>;
  /** Tokens of a text as the model counts them; null where the engine does not offer it. */
  countTokens?(modelName: string, text: string, signal?: AbortSignal): Promise<number | null>;
  /** Of a pool: the servers behind it, and how requests were placed. */
  pool?(): { readonly members: readonly PoolMember[]; readonly placement: PoolPlacement };
  /** Frees the weights of every loaded model, each when the answers that use it have ended. */
  unloadAll(): Promise<void>;
  close(): Promise<void>;
}

export interface LoadedModelInfo {
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly vramBytes: number | null;
  /** When it will be unloaded by itself, milliseconds since the epoch; null for never or unknown. */
  readonly expiresAt: number | null;
  /** Of a pool: the member that holds it. */
  readonly endpoint?: string;
  /** What was planned for it before it was loaded; absent where the engine does not say. */
  readonly plannedBytes?: number | null;
  /** Tokens of one conversation as it is loaded; absent where the engine does not say. */
  readonly contextLength?: number;
  /** Answers it writes now; absent where the engine does not say. */
  readonly answers?: number;
}

export interface MeasuredMemory {
  readonly plannedBytes: number;
  readonly memoryBytes: number;
  /** Milliseconds since the epoch, UTC. */
  readonly at: number;
}

export interface SchedulerState {
  readonly loaded: readonly {
    readonly name: string;
    readonly state: 'loading' | 'ready' | 'ending';
    readonly bytes: number;
    readonly answers: number;
    readonly conversations: number;
    readonly pinned: boolean;
    /** Until it is unloaded by itself; null while it answers, and for ever. */
    readonly idleLeftMs: number | null;
    readonly processId: number | null;
  }[];
  /** In the order in which they came. */
  readonly queue: readonly {
    readonly model: string;
    readonly serviceClass: 'interactive' | 'background';
    readonly waitedMs: number;
  }[];
  readonly waiting: readonly { readonly model: string; readonly requests: number; readonly reason: string }[];
  /** Loads for which another model had to go. */
  readonly swaps: number;
  readonly loads: number;
  /** Requests whose clients left while they waited. */
  readonly dropped: number;
  readonly rejected: number;
  /** The last ones, the newest last. `at`: milliseconds since the epoch, UTC. */
  readonly evictions: readonly {
    readonly model: string;
    readonly cause: string;
    readonly reason: string;
    readonly bytes: number;
    readonly at: number;
  }[];
  /** 0 = no limit but the machine's. */
  readonly limits: { readonly loadedModels: number; readonly memoryBytes: number; readonly queued: number };
}

export interface ModelDescription {
  /** Tokens it was trained for, or takes. */
  readonly contextLength: number | null;
  /** Tokens of one conversation, answer included, as the engine holds it or would load it; absent where it does not say. */
  readonly windowLength?: number;
  /** Elements of one embedding, where the engine says so. */
  readonly embeddingLength?: number | null;
  /** Weights, where the engine says so. */
  readonly parameterCount?: number | null;
  /** As the engine names them: `tools`, `vision`, `thinking`, `embedding`. */
  readonly capabilities: readonly string[];
  readonly template: string | null;
  readonly family: string | null;
  readonly parameterSize: string | null;
  readonly quantization: string | null;
  readonly license: string | null;
  /** Generation defaults the model brings along. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** What of a model is another one's, and what is its own; in the engine's words beside the former. */
export interface ModelDerivation {
  /** A model of the same engine. */
  readonly from: string;
  readonly [further: string]: unknown;
}

export interface ForwardedAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Of a refusal: when to come back, as the engine says it. */
  readonly retryAfter?: string | undefined;
  /** Of the request, as it went over the wire. */
  readonly bytesSent: number;
  readonly body: Readable;
}
