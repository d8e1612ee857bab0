// The body of an answer on OpenAI's wire, streamed or whole, as batches of parts.
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import type { HttpUpstream } from '../http-upstream.js';
import { SignsOfLife } from '../signs-of-life.js';
import type { StreamedAnswer } from '../streamed-answer.js';
import { ChatChunks } from './chat-chunks.js';
import { SseData } from './sse-data.js';

/** @throws AppError `upstream_protocol`, `upstream_truncated`, `upstream_rejected` and those of the connection */
export async function* streamedChat(
  upstream: HttpUpstream,
  answer: StreamedAnswer,
): AsyncGenerator<LanguageModelV4StreamPart[]> {
  const events = new SseData();
  const chunks = new ChatChunks();
  const signs = new SignsOfLife(upstream);
  const type = String(answer.headers['content-type'] ?? '');
  // Some servers fail, or answer, as a whole where a stream was asked for.
  if (/^application\/json/i.test(type)) return yield* wholeChat(upstream, answer);
  try {
    if (/text\/html/i.test(type)) throw new AppError('upstream_protocol', `${upstream.name} answered with a web page.`);
    for (let bytes = await upstream.read(answer); bytes; bytes = await upstream.read(answer)) {
      const parts: LanguageModelV4StreamPart[] = [];
      let failure: unknown;
      try {
        for (const data of events.push(bytes)) chunks.push(data, parts);
      } catch (error) {
        failure = error;
      }
      signs.heard(parts.length > 0);
      // What came whole before the broken piece is still part of the answer.
      if (parts.length > 0) yield parts;
      if (failure !== undefined) throw failure;
    }
    const last: LanguageModelV4StreamPart[] = [];
    for (const data of events.end()) chunks.push(data, last);
    chunks.end(last);
    yield last;
  } finally {
    // Also where the reader leaves or fails: nobody else would ever tell the engine to stop.
    answer.discard();
  }
}

export async function* wholeChat(
  upstream: HttpUpstream,
  answer: StreamedAnswer,
): AsyncGenerator<LanguageModelV4StreamPart[]> {
  const chunks = new ChatChunks();
  const parts: LanguageModelV4StreamPart[] = [];
  try {
    chunks.push(await upstream.wholeText(upstream.batches(answer), () => answer.discard()), parts);
    chunks.end(parts);
    yield parts;
  } finally {
    answer.discard();
  }
}
