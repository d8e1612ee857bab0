// A chat completion that is passed on from an engine which leaves a model's thoughts in its answer: they go to the field
// where clients look for them. Any other answer passes untouched, from its first words on.
import { type Readable, Transform } from 'node:stream';
import { joined, RAW_THOUGHTS, splitWhole, ThoughtSplitter } from '../runtimes/thought-splitter.js';

/** An answer larger than this passes as it is rather than through our memory. */
const MOST_BYTES = 16_777_216;
const MOST_LINE_BYTES = 1_048_576;
const NEW_LINE = 0x0a;

/** @param contentType  of the answer: a stream is read line by line, anything else as one JSON document */
export function thoughtsApart(body: Readable, contentType: string): Readable {
  const apart = /event-stream/i.test(contentType) ? inStream() : inDocument();
  body.on('error', (error) => apart.destroy(error));
  apart.on('close', () => body.destroy());
  return body.pipe(apart);
}

interface Said {
  content?: unknown;
  reasoning_content?: unknown;
  reasoning?: unknown;
  tool_calls?: unknown;
}
interface Completion {
  choices?: { delta?: Said | null; message?: Said | null; finish_reason?: unknown }[] | null;
}

function inStream(): Transform {
  const splitter = new ThoughtSplitter(RAW_THOUGHTS);
  let rest: Buffer = Buffer.alloc(0);
  let untouched = false;
  let last: Completion | undefined;
  /** Of an answer that ends without saying so. */
  const heldBack = (): Buffer => {
    const [piece] = splitter.end();
    const delta = piece?.kind === 'thought' ? { reasoning_content: piece.text } : { content: piece?.text ?? '' };
    const choice = { index: 0, delta, finish_reason: null };
    return Buffer.from(`data: ${JSON.stringify({ ...last, choices: [choice] })}\n\n`);
  };
  const line = (bytes: Buffer): Buffer => {
    const text = bytes.toString('utf8');
    if (!text.startsWith('data:')) return bytes;
    if (splitter.held > 0 && text.slice('data:'.length).trim() === '[DONE]') return Buffer.concat([heldBack(), bytes]);
    const chunk = parse<Completion>(text.slice('data:'.length));
    const choice = chunk?.choices?.[0];
    if (!choice) return bytes;
    last = chunk;
    const delta = choice.delta ?? {};
    if (delta.reasoning_content || delta.reasoning || delta.tool_calls) {
      untouched = true;
      return splitter.held > 0 ? Buffer.concat([heldBack(), bytes]) : bytes;
    }
    const content = typeof delta.content === 'string' ? delta.content : '';
    const ends = typeof choice.finish_reason === 'string';
    const first = splitter.place === 'undecided' && splitter.held === 0;
    const pieces = [...splitter.push(content), ...(ends ? splitter.end() : [])];
    untouched = ends || splitter.isDone;
    if (content === '' && !ends) return bytes;
    // Nothing of it was a thought, and nothing of it was held back.
    if (first && pieces.length === 1 && pieces[0]?.kind === 'text' && pieces[0].text === content) return bytes;
    const { content: _, ...others } = delta;
    const { thought, text: said } = joined(pieces);
    choice.delta = {
      ...others,
      ...(thought === '' ? {} : { reasoning_content: thought }),
      ...(said === '' && (thought !== '' || ends) ? {} : { content: said }),
    };
    return Buffer.from(`data: ${JSON.stringify(chunk)}\n`);
  };
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      if (untouched && rest.length === 0) return done(null, piece);
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const ready: Buffer[] = [];
      for (let end = rest.indexOf(NEW_LINE); end !== -1 && !untouched; end = rest.indexOf(NEW_LINE)) {
        ready.push(line(rest.subarray(0, end + 1)));
        rest = rest.subarray(end + 1);
      }
      if (untouched || rest.length > MOST_LINE_BYTES) {
        ready.push(rest);
        rest = Buffer.alloc(0);
      }
      done(null, Buffer.concat(ready));
    },
    flush: (done) => done(null, rest),
  });
}

function inDocument(): Transform {
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

function document(bytes: Buffer): Buffer {
  const text = bytes.toString('utf8');
  if (!RAW_THOUGHTS.some(({ open }) => text.includes(open))) return bytes;
  const completion = parse<Completion>(text);
  let changed = false;
  for (const { message } of completion?.choices ?? []) {
    if (typeof message?.content !== 'string' || message.reasoning_content || message.reasoning) continue;
    const { thought, text: said } = splitWhole(message.content, RAW_THOUGHTS);
    if (said === message.content) continue;
    message.content = said;
    message.reasoning_content = thought;
    changed = true;
  }
  return changed ? Buffer.from(JSON.stringify(completion)) : bytes;
}

function parse<T>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
