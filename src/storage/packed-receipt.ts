// An answer's receipt as a hundred bytes or two beside its message: most of it is field names and the usual answer.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AnswerReceipt } from '../routing/decision.js';

// Part of the file format: rows that were written with it can only be read with it, so it never changes.
const DICTIONARY = Buffer.from(
  '"error":"upstream_unreachable""error":"upstream_rejected""outcome":"failed","masked":[{"kind":"email","count":1}]"sensitive_content_override""task_complexity_high""task_complexity_low""user_preference""A local model was named.""findings":["sensitive_word"]"ranWith":{"runtime":"ollama","model":"","sent":{"temperature":0.7,"max_tokens":,"top_p":,"seed":},"dropped":[],"clamped":[],"unknown":[]}"ollama","model":"","endpoint":"http://127.0.0.1:11434""openai-compatible","model":"","endpoint":"http://127.0.0.1:8001/v1""provider":"openai","model":"gpt-4o","endpoint":"https://api.openai.com/v1"{"decision":{"target":"local","provider":"llama-cpp","model":"SmolLM2-135M-Instruct.Q4_1","endpoint":null,"reasonCode":"default_eco_mode","reason":"Answers are given in the house.","complexity":1,"sensitive":false,"findings":[],"chain":[{"target":"local","provider":"llama-cpp","model":"SmolLM2-135M-Instruct.Q4_1","endpoint":null}],"paid":false,"tier":"local","estimatedCostUsd":0,"budgetRemainingUsd":null,"policyGatePassed":true,"decidedAt":17955,"latencyMs":0.0},"ranWith":null,"attempts":[{"provider":"llama-cpp","model":"SmolLM2-135M-Instruct.Q4_1","endpoint":null,"location":"local","bytesSent":1,"bytesReceived":1,"outcome":"ok","error":null}],"masked":[],"costUsd":null}',
);
/** Larger than any receipt can get; a damaged row must not become a gigabyte. */
const MAX_RECEIPT_BYTES = 1_048_576;
// zlib takes 16 kB for every result unless it is told. V8 frees it, and the handle that holds it, in full collections
// only: under load that is garbage by the megabyte each second.
const PACKED_PIECE_BYTES = 1_024;
const UNPACKED_PIECE_BYTES = 2_048;

export const packReceipt = (receipt: AnswerReceipt | null | undefined): Uint8Array | null =>
  receipt
    ? // A window no larger than a receipt: zlib allocates a quarter of a megabyte for its usual one, each time.
      deflateRawSync(JSON.stringify(receipt), {
        dictionary: DICTIONARY,
        level: 6,
        windowBits: 12,
        memLevel: 5,
        chunkSize: PACKED_PIECE_BYTES,
      })
    : null;

export function unpackReceipt(stored: Uint8Array | null): AnswerReceipt | null {
  if (stored === null) return null;
  const text = inflateRawSync(stored, {
    dictionary: DICTIONARY,
    maxOutputLength: MAX_RECEIPT_BYTES,
    chunkSize: UNPACKED_PIECE_BYTES,
  });
  return JSON.parse(text.toString('utf8')) as AnswerReceipt;
}
