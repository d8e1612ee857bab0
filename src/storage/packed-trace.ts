// A trace as a few hundred bytes: its document is mostly field names, so a dictionary of them takes it below one page of
// the database, where plain JSON takes two and both are written twice.
import { deflateRawSync, inflateRawSync } from 'node:zlib';

// Part of the file format: rows that were written with it can only be read with it, so it never changes.
const DICTIONARY = Buffer.from(
  '{"mode":"direct","prompt_context_preview":"","prompt_context_truncated":false}"llama-cpp@local""openai-compatible@http://127.0.0.1:"ollama@http://127.0.0.1:11434/v1""elapsed_ms= preview={\\"session_id\\":\\"\\",\\"model\\":\\"\\",\\"history\\":0}{\\"mode\\":\\"direct\\",\\"prompt_context_preview\\":\\"\\",\\"prompt_context_truncated\\":false}{\\"chunks\\":,\\"total_ms\\":,\\"chars\\":,\\"response\\":\\"\\",\\"truncated\\":false}{"status":"FAILED","status":"COMPLETED","createdAt":"2026-11-24T12:00:00.000Z","finishedAt":"2026-11-24T12:00:00.000Z","lastActivityAt":1795532130003,"steps":[{"component":"SimpleMode","action":"request","timestamp":"2026-11-24T12:00:00.000Z","status":"ok","details":"{\\"session_id\\":\\""},{"component":"SimpleMode","action":"context_preview","timestamp":"2026-11-24T12:00:00.000Z","status":"ok","details":""},{"component":"SimpleMode","action":"first_chunk","timestamp":"","status":"ok","details":""},{"component":"SimpleMode","action":"response","timestamp":"","status":"ok","details":""}],"configHash":"","runtimeId":"","error":null,"firstToken":{"at":"2026-11-24T12:00:00.000Z","elapsedMs":,"preview":""},"streaming":{"chunkCount":,"firstChunkMs":,"lastEmitMs":},"generationParams":null,"requestId":"01a20e0d-","prompt":"","sessionId":"session-","provider":"","model":"","endpoint":"http://127.0.0.1:"}',
);
/** Larger than any trace can get; a damaged row must not become a gigabyte. */
const MAX_TRACE_BYTES = 16_777_216;
// zlib takes 16 kB for every result unless it is told. V8 frees it, and the handle that holds it, in full collections
// only: under load that is garbage by the megabyte each second.
const PACKED_PIECE_BYTES = 1_024;
const UNPACKED_PIECE_BYTES = 2_048;

/** @param document  JSON */
export const packTrace = (document: string): Uint8Array =>
  deflateRawSync(document, {
    dictionary: DICTIONARY,
    level: 1,
    windowBits: 12,
    memLevel: 5,
    chunkSize: PACKED_PIECE_BYTES,
  });

/** The document as it was; rows of the first versions are not packed. */
export function unpackTrace(stored: unknown): string {
  if (typeof stored === 'string') return stored;
  const document = inflateRawSync(stored as Uint8Array, {
    dictionary: DICTIONARY,
    maxOutputLength: MAX_TRACE_BYTES,
    chunkSize: UNPACKED_PIECE_BYTES,
  });
  return document.toString('utf8');
}
