// An OpenAI-style answer that is passed on with something in it written anew: an event stream line by line, until nothing
// more is to be written, anything else as one JSON document.
import { type Readable, Transform } from 'node:stream';

/** An answer larger than this passes as it is rather than through our memory. */
const MOST_BYTES = 16_777_216;
const MOST_LINE_BYTES = 1_048_576;
const NEW_LINE = 0x0a;

export interface Rewriting {
  /** What goes on in place of a line of a stream; each with its end. */
  line(bytes: Buffer): Buffer;
  /** Whether all lines that are left pass as they are. */
  isDone(): boolean;
  /** What goes on in place of a whole answer. */
  document(bytes: Buffer): Buffer;
}

/** @param contentType  of the answer: it says whether it is a stream */
export function rewritten(body: Readable, contentType: string, rewriting: Rewriting): Readable {
  const passed = /event-stream/i.test(contentType) ? inStream(rewriting) : inDocument(rewriting);
  body.on('error', (error) => passed.destroy(error));
  passed.on('close', () => body.destroy());
  return body.pipe(passed);
}

/** Of a line of a stream, what it says behind `data:`; undefined where that is no object. */
export const dataOf = <T extends object>(line: string): T | undefined =>
  line.startsWith(DATA) ? objectIn<T>(line.slice(DATA.length)) : undefined;

const DATA = 'data:';

export function objectIn<T extends object>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

function inStream({ line, isDone }: Rewriting): Transform {
  let rest: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      if (rest.length === 0 && isDone()) return done(null, piece);
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const ready: Buffer[] = [];
      for (let end = rest.indexOf(NEW_LINE); end !== -1 && !isDone(); end = rest.indexOf(NEW_LINE)) {
        ready.push(line(rest.subarray(0, end + 1)));
        rest = rest.subarray(end + 1);
      }
      if (isDone() || rest.length > MOST_LINE_BYTES) {
        ready.push(rest);
        rest = Buffer.alloc(0);
      }
      done(null, Buffer.concat(ready));
    },
    flush: (done) => done(null, rest),
  });
}

function inDocument({ document }: Rewriting): Transform {
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
      done(null, size <= MOST_BYTES ? document(all) : all);
    },
  });
}
