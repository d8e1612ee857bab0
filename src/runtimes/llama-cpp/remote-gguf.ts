// The header of a GGUF file that is not here yet: a few ranged requests in place of a download.
import { AppError } from '../../shared/errors.js';
import { type ByteSource, type GgufHeader, readGgufFrom } from './gguf-check.js';

/** Grows, because a tokenizer can be 10 MB of header, and most headers fit into the first piece. */
const PIECES = [1_048_576, 4_194_304, 16_777_216, 33_554_432];
const MAX_REDIRECTS = 5;

export interface RemoteFile {
  url: string;
  sizeBytes: number;
  /** Goes to the origin of `url` and to no other. */
  token?: string | undefined;
  fetch: typeof fetch;
}

/** At most four requests and 52 MB. @throws AppError `invalid_model`, `source_unavailable`, `unsupported` without ranges */
export async function readRemoteGguf(file: RemoteFile, signal: AbortSignal): Promise<GgufHeader> {
  let known = Buffer.alloc(0);
  let requests = 0;
  const source: ByteSource = {
    sizeBytes: file.sizeBytes,
    async read(offset, length) {
      // The header is read front to back, so what is known is always its beginning.
      while (known.length < Math.min(offset + length, file.sizeBytes)) {
        const size = PIECES[requests];
        // A reader that looks ahead gets what there is; one that needs more finds the header to be too long.
        if (size === undefined) break;
        requests += 1;
        const piece = await range(file, known.length, Math.min(size, file.sizeBytes - known.length), signal);
        known = Buffer.concat([known, piece]);
        if (known.length > offset) break;
      }
      return known.subarray(offset, offset + length);
    },
  };
  return readGgufFrom(source);
}

async function range(file: RemoteFile, from: number, length: number, signal: AbortSignal): Promise<Buffer> {
  const home = new URL(file.url);
  let url = home;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    let response: Response;
    try {
      response = await file.fetch(url, {
        headers: {
          range: `bytes=${from}-${from + length - 1}`,
          'accept-encoding': 'identity',
          ...(url.origin === home.origin && file.token ? { authorization: `Bearer ${file.token}` } : {}),
        },
        redirect: 'manual',
        signal,
      });
    } catch (cause) {
      throw new AppError('source_unavailable', `${url.host} cannot be reached.`, { cause });
    }
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location) {
      await response.body?.cancel();
      const next = new URL(location, url);
      if (next.protocol !== 'https:' && next.protocol !== home.protocol)
        throw new AppError('source_unavailable', 'The source redirects to an unsafe address.');
      url = next;
      continue;
    }
    if (response.status === 200) {
      await response.body?.cancel();
      throw new AppError('unsupported', `${url.host} sends whole files only, so the header cannot be read alone.`);
    }
    if (response.status !== 206 || !response.headers.get('content-range')?.startsWith(`bytes ${from}-`)) {
      await response.body?.cancel();
      throw new AppError('source_unavailable', `${url.host} answered HTTP ${response.status}.`);
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += bytes.length;
      if (size > length) throw new AppError('source_unavailable', `${url.host} sent more than was asked for.`);
      pieces.push(bytes);
    }
    return Buffer.concat(pieces);
  }
  throw new AppError('source_unavailable', 'The source redirects without end.');
}
