// What the server and its inference process say to each other.
import type { ErrorCode } from '../../shared/errors.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  text: string;
}

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
}

export type ToWorker =
  | { type: 'load'; path: string; contextLength: number; sequences: number; threads: number | null; embedding: boolean }
  | { type: 'generate'; id: number; messages: ChatMessage[]; sampling: SamplingOptions }
  | { type: 'embed'; id: number; texts: string[]; truncate: boolean }
  | { type: 'count'; id: number; messages: ChatMessage[] }
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
      tokensPerSecond: number | null;
      loadMs: number;
      /** What is wrong with the chat template the model brings; null when nothing is, or it brings none. */
      templateProblem: string | null;
    }
  | { type: 'text'; id: number; text: string }
  | {
      type: 'end';
      id: number;
      finish: 'stop' | 'length';
      promptTokens: number;
      cachedTokens: number;
      completionTokens: number;
    }
  | { type: 'counted'; id: number; tokens: number }
  | { type: 'vectors'; id: number; vectors: number[][]; tokens: number }
  | { type: 'failed'; id: number | null; code: ErrorCode; message: string };
