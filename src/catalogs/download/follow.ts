// Requests for model files: redirects are followed here, so that the token stays with the origin it was given for.
import { lookup } from 'node:dns/promises';
import { AppError } from '../../shared/errors.js';
import { isPublicAddress } from '../../shared/public-address.js';

const MAX_REDIRECTS = 5;

export interface FileSource {
  url: string;
  /** Goes to the origin of `url` and to no other. */
  token?: string | undefined;
  fetch: typeof fetch;
  /** Name resolution; replaced by tests. */
  resolve?: Resolve | undefined;
}

type Resolve = (host: string) => Promise<readonly { address: string }[]>;

const byName: Resolve = (host) => lookup(host, { all: true });

/** The first answer that is no redirect. @throws AppError `source_unavailable`, and whatever `fetch` throws */
export async function follow(
  source: FileSource,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const home = new URL(source.url);
  let url = home;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const own = url.origin === home.origin;
    const response = await source.fetch(url, {
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(own && source.token ? { authorization: `Bearer ${source.token}` } : {}),
      },
      redirect: 'manual',
      signal,
    });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !location) return response;
    const next = new URL(location, url);
    if (next.protocol !== 'https:' && next.protocol !== home.protocol)
      throw new AppError('source_unavailable', 'The source redirects to an unsafe address.');
    await response.body?.cancel();
    // A place on the open internet must not have us ask around in the house; a mirror in the house may point about in it.
    const { resolve = byName } = source;
    if (next.origin !== url.origin && (await isInHouse(next, resolve)) && !(await isInHouse(home, resolve)))
      throw new AppError('source_unavailable', 'The source redirects into a private network.');
    url = next;
  }
  throw new AppError('source_unavailable', 'The source redirects without end.');
}

/** One private address among several is enough. What cannot be resolved here is somebody else's to resolve, such as a proxy's. */
async function isInHouse(url: URL, resolve: Resolve): Promise<boolean> {
  const addresses = await resolve(url.hostname.replace(/^\[|\]$/g, '')).catch(() => []);
  return addresses.some(({ address }) => !isPublicAddress(address));
}
