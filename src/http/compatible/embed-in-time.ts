// Vectors that somebody waits for: not longer than is set, and not when they have gone.
import type { FastifyReply } from 'fastify';
import { AppError } from '../../shared/errors.js';
import { whileOpen } from '../while-open.js';

/** @throws AppError `upstream_timeout`, whatever word an engine has for being stopped; and those of `ask` */
export async function embedInTime<T>(
  reply: FastifyReply,
  timeoutMs: number,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = whileOpen(reply);
  const late = AbortSignal.timeout(timeoutMs);
  try {
    return await ask(AbortSignal.any([gone, late]));
  } catch (error) {
    if (!late.aborted || gone.aborted || (error instanceof AppError && error.code === 'upstream_timeout')) throw error;
    throw new AppError('upstream_timeout', `The vectors took more than ${timeoutMs / 1_000} s.`, { cause: error });
  }
}
