// What the server and its inference process say to each other.
import type { ErrorCode } from '../../shared/errors.js';
import type { EmbedInput } from '../runtime.js';
import type { Think } from './thoughts/thought-traits.js';
import type { CallEvent } from './tool-calls/call-reader.js';
import type { ToolOrder } from './tool-calls/tool-order.js';

export interface ToolCallMessage {
  id: string;
  name: string;
  input: unknown;
}

export interface ToolResultMessage {
  role: 'tool';
  /** Of the call. */
  id: string;
  name: string;
  text: string;
}

export type ChatMessage =
  | { role: 'system' | 'user'; text: string }
  | { role: 'assistant'; text: string; thought?: string; calls?: ToolCallMessage[] }
  | ToolResultMessage;

export interface SamplingOptions {
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  repeatPenalty: number;
  frequencyPenalty: number;
  presencePenalty: number;
  seed: number | undefined;
  maxTokens: number | undefined;
  stop: string[];
  /** A JSON schema, or `true` for any JSON. */
  json: object | true | undefined;
  /** As it was wished; what the template cannot be told is still heeded where a grammar holds the answer. */
  think: Think;
}

export type ToWorker =
  | { type: 'load'; path: string; contextLength: number; sequences: number; threads: number | null; embedding: boolean }
  | {
      type: 'generate';
      id: number;
      messages: ChatMessage[];
      sampling: SamplingOptions;
      tools?: ToolOrder | undefined;
      /** Where the conversation is too long its oldest turns go, instead of an error. */
      dropOldest: boolean;
      /** Their text is gone on with as it is, without a template; towards `suffix`, where there is one. */
      completion?: { suffix?: string | undefined } | undefined;
    }
  | { type: 'embed'; id: number; inputs: EmbedInput[]; truncate: boolean }
  | { type: 'count'; id: number; messages: ChatMessage[]; tools?: ToolOrder | undefined; think?: Think }
  | { type: 'count-text'; id: number; text: string }
  | { type: 'cancel'; id: number }
  /** How many threads it may use while other models answer too; 0 = its own number. */
  | { type: 'threads'; limit: number };

export type FromWorker =
  | {
      type: 'loaded';
      threads: number;
      contextLength: number;
      gpu: string | null;
      /** Which llama.cpp it is, through which binding. */
      engine: string;
      /** How the model calls tools, such as `tags` or `generic`; null for one that does not chat. */
      callFamily: string | null;
      tokensPerSecond: number | null;
      loadMs: number;
      /** What is wrong with the chat template the model brings; null when nothing is, or it brings none. */
      templateProblem: string | null;
    }
  | { type: 'text'; id: number; text: string }
  /** So many of the oldest messages did not fit, and went. */
  | { type: 'shortened'; id: number; messages: number }
  /** What the model thinks before it answers. */
  | { type: 'thought'; id: number; text: string }
  /** A call of a tool, in the order in which it is written: its name, its input piece by piece, the whole. */
  | ({ id: number } & CallEvent)
  | {
      type: 'end';
      id: number;
      finish: 'stop' | 'length' | 'tool-calls';
      promptTokens: number;
      cachedTokens: number;
      completionTokens: number;
      /** Of these. */
      thoughtTokens: number;
    }
  | { type: 'counted'; id: number; tokens: number }
  | { type: 'vectors'; id: number; vectors: number[][]; tokens: number }
  | { type: 'failed'; id: number | null; code: ErrorCode; message: string };
