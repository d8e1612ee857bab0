// A request of OpenAI's wire to an engine that speaks it, and its answer as it comes.
import type { Dispatcher } from 'undici';
import { AppError } from '../shared/errors.js';
import { discard } from './http-upstream.js';
import type { ForwardedAnswer } from './runtime.js';

export interface OutgoingForward {
  /** Written out once, as the bytes that leave: a long conversation takes as long to write as to send. */
  bytes: Buffer;
  model: string | undefined;
}

export const outgoing = (body: Record<string, unknown>): OutgoingForward => ({
  bytes: Buffer.from(JSON.stringify(body)),
  model: typeof body['model'] === 'string' ? body['model'] : undefined,
});

/** @throws AppError `upstream_protocol` where it comes compressed, which nobody asked for and the client would not unpack */
export function forwarded({ bytes }: OutgoingForward, response: Dispatcher.ResponseData): ForwardedAnswer {
  const { statusCode, headers, body } = response;
  const encoding = headers['content-encoding']?.toString() ?? 'identity';
  if (encoding !== 'identity') {
    discard(response);
    throw new AppError('upstream_protocol', `The model server sent its answer as ${encoding.slice(0, 40)}.`);
  }
  return {
    status: statusCode,
    contentType: String(headers['content-type'] ?? 'application/json'),
    retryAfter: headers['retry-after']?.toString(),
    bytesSent: bytes.length,
    body,
  };
}
