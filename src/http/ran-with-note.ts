// Writes what became of the parameters into an OpenAI-style answer that passes through: into the chunk that ends it, or
// into the whole. Only used where there is something to say; every other answer passes untouched.
import type { Readable } from 'node:stream';
import type { RanWith } from '../routing/decision.js';
import { dataOf, objectIn, rewritten } from './rewritten-answer.js';

const ENDS_A_CHOICE = /"finish_reason":\s*"/;

/** @param contentType  of the answer; an event stream is written to line by line, anything else as one JSON document */
export function withNote(body: Readable, contentType: string, ranWith: RanWith): Readable {
  const venom = { ran_with: ranWith };
  let told = false;
  return rewritten(body, contentType, {
    line(bytes) {
      const text = bytes.toString('utf8');
      const chunk = ENDS_A_CHOICE.test(text) ? dataOf(text) : undefined;
      if (chunk === undefined) return bytes;
      told = true;
      return Buffer.from(`data: ${JSON.stringify({ ...chunk, venom })}\n`);
    },
    isDone: () => told,
    document(bytes) {
      const answer = objectIn(bytes.toString('utf8'));
      return answer === undefined ? bytes : Buffer.from(JSON.stringify({ ...answer, venom }));
    },
  });
}
