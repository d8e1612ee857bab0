// One answer of Direct chat as it comes over the wire: POST /llm/simple/stream, read part by part.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { AppError, ERROR_CODES } from '../shared/errors.js';
import type { ApiClient } from './api-client.js';

export interface Question {
  content: string;
  session_id: string;
  model?: string;
  max_tokens?: number;
  temperature?: number;
}

export interface Answer {
  request_id: string;
  session_id: string;
  content: string;
  ttft_ms: number | null;
  duration_ms: number;
}

/**
 * Asks and reads the answer; aborting `signal` also tells the server to stop.
 * @throws AppError with the server's code, `cancelled`, or `upstream_truncated` when the stream ends without an end
 */
export async function streamAnswer(
  client: ApiClient,
  question: Question,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<Answer> {
  const startedAt = performance.now();
  const response = await client.stream('/api/v1/llm/simple/stream', question, signal);
  const requestId = response.headers.get('x-request-id') ?? '';
  let content = '';
  let firstAt: number | null = null;
  try {
    for await (const { event, data } of response.body
      ?.pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream()) ?? []) {
      if (event === 'error') throw asAppError(data);
      if (event === 'done') {
        const duration = Math.round(performance.now() - startedAt);
        return {
          request_id: requestId,
          session_id: question.session_id,
          content,
          ttft_ms: firstAt,
          duration_ms: duration,
        };
      }
      if (event !== 'content') continue;
      firstAt ??= Math.round(performance.now() - startedAt);
      const { text } = JSON.parse(data) as { text: string };
      content += text;
      onText(text);
    }
  } catch (error) {
    // undici says only `terminated` when the server goes away.
    if (!signal.aborted) throw error instanceof AppError ? error : brokenOff(error);
    await client.post(`/api/v1/llm/simple/stream/${requestId}/cancel`, {}).catch(() => {});
    throw new AppError('cancelled', 'Cancelled.', { cause: error });
  }
  throw brokenOff();
}

const brokenOff = (cause?: unknown) => new AppError('upstream_truncated', 'The answer broke off.', { cause });

function asAppError(data: string): AppError {
  const { code, message } = JSON.parse(data) as { code?: string; message?: string };
  return new AppError(ERROR_CODES.find((known) => known === code) ?? 'internal', message ?? 'The model failed.');
}
