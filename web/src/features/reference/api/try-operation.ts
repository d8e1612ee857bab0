// Sends a request as it was filled in, and hands on what comes back while it comes: an error is an answer too, and a stream
// may never end by itself.
import { apiKey } from '../../../lib/api-key';
import type { FilledRequest } from '../filled-request';

/** Longer answers are cut here, and said to be. */
export const MAX_SHOWN_CHARS = 200_000;

export interface TriedAnswer {
  status: number;
  type: string;
  text: string;
  cut: boolean;
  durationMs: number;
}

/** @throws where the server was not reached, or `signal` said so */
export async function tryOperation(
  { method, path, body }: FilledRequest,
  onAnswer: (answer: TriedAnswer) => void,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const key = apiKey();
  const response = await fetch(path, {
    method,
    signal,
    ...(body === undefined ? {} : { body }),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key ? { authorization: `Bearer ${key}` } : {}),
    },
  });
  let text = '';
  let cut = false;
  const tell = () =>
    onAnswer({
      status: response.status,
      type: response.headers.get('content-type')?.split(';')[0] ?? '',
      text,
      cut,
      durationMs: performance.now() - startedAt,
    });
  tell();
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    text += part.value;
    if (text.length > MAX_SHOWN_CHARS) {
      text = text.slice(0, MAX_SHOWN_CHARS);
      cut = true;
      await reader?.cancel();
      break;
    }
    tell();
  }
  tell();
}
