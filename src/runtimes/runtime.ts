// The port every engine that answers prompts implements. An adapter (llama-cpp/, openai-compatible/, later ollama/,
// vllm/, cloud/) adds nothing to it but what its engine knows.
import type { Readable } from 'node:stream';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';

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
}

export type RuntimeState = 'online' | 'offline' | 'degraded' | 'ready';

export interface RuntimeHealth {
  readonly state: RuntimeState;
  readonly latencyMs: number | null;
  readonly error: string | null;
  /** Free-form figures for the System page: threads, context, tokens/s measured at load. */
  readonly details: Readonly<Record<string, unknown>>;
}

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
  /** @throws AppError `provider_unavailable` */
  listModels(signal?: AbortSignal): Promise<RuntimeModel[]>;
  health(signal?: AbortSignal): Promise<RuntimeHealth>;
  /** Vectors in input order. @throws AppError `unsupported` where the model cannot */
  embed(
    modelName: string,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ vectors: number[][]; tokens: number }>;
  /** What is in memory now, for engines that say so. */
  loaded?(signal?: AbortSignal): Promise<LoadedModelInfo[]>;
  /** Brings the weights into memory. @throws AppError `insufficient_memory`, `invalid_model`, `runtime_crashed` */
  load?(modelName: string, signal?: AbortSignal): Promise<void>;
  /** Frees the weights, and resolves when they are seen to be gone. */
  unload?(modelName: string, signal?: AbortSignal): Promise<void>;
  /** What the engine's metadata says; null when it does not know the model. */
  describeModel?(modelName: string, signal?: AbortSignal): Promise<ModelDescription | null>;
  version?(signal?: AbortSignal): Promise<string | null>;
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
}

export interface ModelDescription {
  /** Tokens. */
  readonly contextLength: number | null;
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

export interface ForwardedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Readable;
}
