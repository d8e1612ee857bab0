// Another server's body, byte for byte, to our client: the first piece at once, the rest gathered, never more in
// memory than the client has yet to read.
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { AppError } from '../shared/errors.js';
import { gather, stopGathering } from '../shared/gather.js';

/** Resolves when the body has ended, with what broke it off, if anything did. */
export function passThrough(body: Readable, response: ServerResponse): Promise<Error | undefined> {
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
    body.on('data', (piece: Uint8Array) => {
      pieces.push(piece);
      if (first) {
        first = false;
        flush();
      } else gather(flush);
    });
    body.on('end', () => {
      stopGathering(flush);
      response.end(Buffer.concat(pieces));
      resolve(undefined);
    });
    // A body that waits for a client that is gone would wait for ever.
    response.once('close', () => {
      if (response.writableFinished) return;
      stopGathering(flush);
      body.destroy();
      resolve(new AppError('cancelled', 'The client went away.'));
    });
    body.on('error', (error) => {
      stopGathering(flush);
      // The client must see that the answer is not whole: no end mark, no clean end.
      response.destroy();
      resolve(error);
    });
  });
}
