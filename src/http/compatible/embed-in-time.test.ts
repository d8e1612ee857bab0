import { EventEmitter } from 'node:events';
import type { FastifyReply } from 'fastify';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.js';
import { embedInTime } from './embed-in-time.js';

const client = () => {
  const raw = Object.assign(new EventEmitter(), { writableFinished: false });
  return { reply: { raw } as unknown as FastifyReply, leave: () => raw.emit('close') };
};
/** Works until it is stopped, and says so in its own word. */
const engine = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new AppError('cancelled', 'The work was stopped.')));
  });

describe('embedInTime', () => {
  it('says that it took too long, and not that somebody stopped it', async () => {
    await expect(embedInTime(client().reply, 20, engine)).rejects.toMatchObject({ code: 'upstream_timeout' });
  });

  it('stops the engine when the client leaves', async () => {
    const { reply, leave } = client();
    const waiting = embedInTime(reply, 60_000, engine);
    leave();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('hands on what comes, and every other failure as it is', async () => {
    expect(await embedInTime(client().reply, 60_000, async () => [1, 2])).toEqual([1, 2]);
    const failure = new AppError('upstream_rejected', 'No.');
    await expect(embedInTime(client().reply, 60_000, () => Promise.reject(failure))).rejects.toBe(failure);
  });
});
