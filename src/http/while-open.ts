// Work that somebody waits for, and that is not worth doing once they have gone.
import type { FastifyReply } from 'fastify';
import { AppError } from '../shared/errors.js';

/** Aborted with `cancelled` when the client goes away before its answer is sent. */
export function whileOpen({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort(new AppError('cancelled', 'The caller went away.'));
  });
  return gone.signal;
}
