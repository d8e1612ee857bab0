// Another server's body, byte for byte, to our client: the first piece at once, the rest gathered, never more in
// memory than the client has yet to read.
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { AppError } from '../shared/errors.js';
import { gather, stopGathering } from '../shared/gather.js';
import type { OneEnd } from './checked-forward.js';

/** Resolves when the body has ended, with what broke it off, if anything did and `end` could not tell the client. */
export function passThrough(body: Readable, response: ServerResponse, end?: OneEnd): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let pieces: Uint8Array[] = [];
    let first = true;
    const flush = () => {
      if (pieces.length === 0) return;
      const bytes = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
      pieces = [];
      if (!response.write(bytes)) {
        body.pause();
        response.once('drain', () => body.resume());
      }
    };
    const finish = (last: string | undefined) => {
      stopGathering(flush);
      if (last) pieces.push(Buffer.from(last));
      response.end(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
      resolve(undefined);
    };
    body.on('data', (received: Buffer) => {
      let piece: Buffer | undefined = received;
      try {
        if (end) piece = end.take(received);
      } catch (error) {
        body.destroy(error as Error);
        return;
      }
      if (piece === undefined) return;
      pieces.push(piece);
      if (first) {
        first = false;
        flush();
      } else gather(flush);
    });
    body.on('end', () => finish(end?.close()));
    // A body that waits for a client that is gone would wait for ever.
    response.once('close', () => {
      if (response.writableFinished) return;
      stopGathering(flush);
      body.destroy();
      resolve(new AppError('cancelled', 'The client went away.'));
    });
    body.on('error', (error) => {
      if (end) return finish(end.break(error));
      stopGathering(flush);
      // The client must see that the answer is not whole: no end mark, no clean end.
      response.destroy();
      resolve(error);
    });
  });
}
