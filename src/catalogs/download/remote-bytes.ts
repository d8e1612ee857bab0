// The beginning of a file that is not here yet: a few ranged requests in place of a download.
import { AppError } from '../../shared/errors.js';
import { boundedBody } from './bounded-body.js';
import { type FileSource, follow } from './follow.js';

/** Grows, because a tokenizer can be 10 MB of header, and most headers fit into the first piece. */
const PIECES = [1_048_576, 4_194_304, 16_777_216, 33_554_432];

/**
 * To be read front to back, with at most four requests and 52 MB; beyond that it ends early.
 * @throws AppError from `read`: `source_unavailable`, `unsupported` where the source knows no ranges
 */
export function remoteBytes(source: FileSource & { sizeBytes: number }, signal: AbortSignal) {
  const { sizeBytes } = source;
  let known = Buffer.alloc(0);
  let requests = 0;
  return {
    sizeBytes,
    async read(offset: number, length: number): Promise<Buffer> {
      while (known.length < Math.min(offset + length, sizeBytes)) {
        const size = PIECES[requests];
        // A reader that looks ahead gets what there is; one that needs more finds the header to be too long.
        if (size === undefined) break;
        requests += 1;
        const piece = await range(source, known.length, Math.min(size, sizeBytes - known.length), signal);
        known = Buffer.concat([known, piece]);
        if (known.length > offset) break;
      }
      return known.subarray(offset, offset + length);
    },
  };
}

async function range(source: FileSource, from: number, length: number, signal: AbortSignal): Promise<Buffer> {
  const { host } = new URL(source.url);
  let response: Response;
  try {
    response = await follow(source, { range: `bytes=${from}-${from + length - 1}` }, signal);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('source_unavailable', `${host} cannot be reached.`, { cause });
  }
  const fits = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`);
  if (!fits) {
    await response.body?.cancel();
    throw response.status === 200
      ? new AppError('unsupported', `${host} sends whole files only, so the header cannot be read alone.`)
      : new AppError('source_unavailable', `${host} answered HTTP ${response.status}.`);
  }
  const { bytes, complete } = await boundedBody(response, length);
  if (!complete) throw new AppError('source_unavailable', `${host} sent more than was asked for.`);
  return bytes;
}
