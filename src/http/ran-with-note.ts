// Writes what became of the parameters into an OpenAI-style answer that passes through: into the chunk that ends it, or
// into the whole. Only used where there is something to say; every other answer passes untouched.
import { type Readable, Transform } from 'node:stream';
import type { RanWith } from '../routing/decision.js';

/** An answer larger than this passes without a note rather than through our memory. */
const MOST_BYTES = 16_777_216;
const MOST_LINE_BYTES = 1_048_576;
const ENDS_A_CHOICE = /"finish_reason":\s*"/;
const NEW_LINE = 0x0a;

/** @param contentType  of the answer; an event stream is written to line by line, anything else as one JSON document */
export function withNote(body: Readable, contentType: string, ranWith: RanWith): Readable {
  const noted = /event-stream/i.test(contentType) ? inStream({ ran_with: ranWith }) : inDocument({ ran_with: ranWith });
  body.on('error', (error) => noted.destroy(error));
  noted.on('close', () => body.destroy());
  return body.pipe(noted);
}

function inStream(note: object): Transform {
  let rest: Buffer = Buffer.alloc(0);
  let told = false;
  const line = (bytes: Buffer): Buffer => {
    const text = bytes.toString('utf8');
    if (!text.startsWith('data:') || !ENDS_A_CHOICE.test(text)) return bytes;
    const chunk = parse(text.slice('data:'.length));
    if (chunk === undefined) return bytes;
    told = true;
    return Buffer.from(`data: ${JSON.stringify({ ...chunk, venom: note })}\n`);
  };
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      if (told) return done(null, piece);
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const ready: Buffer[] = [];
      for (let end = rest.indexOf(NEW_LINE); end !== -1 && !told; end = rest.indexOf(NEW_LINE)) {
        ready.push(line(rest.subarray(0, end + 1)));
        rest = rest.subarray(end + 1);
      }
      if (told || rest.length > MOST_LINE_BYTES) {
        ready.push(rest);
        rest = Buffer.alloc(0);
      }
      done(null, Buffer.concat(ready));
    },
    flush: (done) => done(null, rest),
  });
}

function inDocument(note: object): Transform {
  let pieces: Buffer[] = [];
  let size = 0;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      size += piece.length;
      pieces.push(piece);
      if (size <= MOST_BYTES) return done();
      const all = Buffer.concat(pieces);
      pieces = [];
      done(null, all);
    },
    flush(done) {
      const all = Buffer.concat(pieces);
      const document = size <= MOST_BYTES ? parse(all.toString('utf8')) : undefined;
      done(null, document === undefined ? all : Buffer.from(JSON.stringify({ ...document, venom: note })));
    },
  });
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
