// A chat completion that is passed on from an engine which leaves a model's thoughts in its answer: they go to the field
// where clients look for them. Any other answer passes untouched, from its first words on.
import type { Readable } from 'node:stream';
import { joined, RAW_THOUGHTS, splitWhole, ThoughtSplitter } from '../runtimes/thought-splitter.js';
import { dataOf, objectIn, type Rewriting, rewritten } from './rewritten-answer.js';

/** @param contentType  of the answer: a stream is read line by line, anything else as one JSON document */
export const thoughtsApart = (body: Readable, contentType: string): Readable =>
  rewritten(body, contentType, { ...inStream(), document });

interface Said {
  content?: unknown;
  reasoning_content?: unknown;
  reasoning?: unknown;
  tool_calls?: unknown;
}
interface Completion {
  choices?: { delta?: Said | null; message?: Said | null; finish_reason?: unknown }[] | null;
}

function inStream(): Pick<Rewriting, 'line' | 'isDone'> {
  const splitter = new ThoughtSplitter(RAW_THOUGHTS);
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
    if (splitter.held > 0 && /^data:\s*\[DONE\]\s*$/.test(text)) return Buffer.concat([heldBack(), bytes]);
    const chunk = dataOf<Completion>(text);
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
  return { line, isDone: () => untouched };
}

function document(bytes: Buffer): Buffer {
  const text = bytes.toString('utf8');
  if (!RAW_THOUGHTS.some(({ open }) => text.includes(open))) return bytes;
  const completion = objectIn<Completion>(text);
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
