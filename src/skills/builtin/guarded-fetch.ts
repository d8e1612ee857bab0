// Fetches a page for the web skill: http and https only, redirects one by one, bounded in time and bytes.
import { lookup as dnsLookup } from 'node:dns';
import { Agent, fetch as undiciFetch } from 'undici';
import { AppError, toAppError } from '../../shared/errors.js';
import { isPublicAddress } from '../../shared/public-address.js';
import { guardedConnector, openConnector } from '../address-guard.js';

const MAX_REDIRECTS = 5;
const MAX_URL_CHARS = 4_096;

export interface GuardedFetchOptions {
  /** `host` or `host:port` in the house that may be fetched all the same. */
  privateHosts: readonly string[];
  timeoutMs: number;
  maxBytes: number;
  userAgent: string;
  /** Name resolution; replaced by tests. */
  lookup?: typeof dnsLookup;
}

export interface FetchedPage {
  /** Where the redirects ended. */
  url: string;
  status: number;
  contentType: string;
  body: Buffer;
}

export class GuardedFetch {
  readonly #options: GuardedFetchOptions;
  readonly #guarded: Agent;
  readonly #open: Agent;

  constructor(options: GuardedFetchOptions) {
    this.#options = options;
    const common = {
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      maxResponseSize: options.maxBytes + 1,
    };
    this.#guarded = new Agent({ ...common, connect: guardedConnector(options.lookup ?? dnsLookup, inTheHouse) });
    this.#open = new Agent({ ...common, connect: openConnector() });
  }

  /** @throws AppError `invalid_input`, `forbidden` for an address in the house, `upstream_unreachable`, `upstream_rejected` */
  async get(address: string, signal: AbortSignal): Promise<FetchedPage> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    let url = parsedUrl(address);
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#ask(url, bounded, signal);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) {
        const body = await bodyOf(response, this.#options.maxBytes, url, signal);
        return {
          url: url.href,
          status: response.status,
          contentType: response.headers.get('content-type') ?? '',
          body,
        };
      }
      await response.body?.cancel().catch(() => {});
      if (redirects >= MAX_REDIRECTS)
        throw new AppError('upstream_redirect', `${url.host} redirects more than ${MAX_REDIRECTS} times.`);
      if (!URL.canParse(location, url)) throw new AppError('upstream_redirect', `${url.host} redirects to no address.`);
      url = parsedUrl(new URL(location, url).href);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#guarded.destroy(), this.#open.destroy()]);
  }

  async #ask(url: URL, bounded: AbortSignal, signal: AbortSignal) {
    const { privateHosts, userAgent } = this.#options;
    const friend = privateHosts.includes(url.host) || privateHosts.includes(url.hostname);
    const bare = url.hostname.replace(/^\[|\]$/g, '');
    if (!friend && /^[0-9.]+$|:/.test(bare) && !isPublicAddress(bare)) throw inTheHouse(url.hostname);
    try {
      return await undiciFetch(url, {
        redirect: 'manual',
        signal: bounded,
        dispatcher: friend ? this.#open : this.#guarded,
        headers: { 'user-agent': userAgent, accept: 'text/html, text/plain, application/json;q=0.9, */*;q=0.1' },
      });
    } catch (thrown) {
      throw fetchFailure(thrown, url, signal);
    }
  }
}

function parsedUrl(address: string): URL {
  if (address.length > MAX_URL_CHARS || !URL.canParse(address))
    throw new AppError('invalid_input', 'This is no web address.');
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AppError('invalid_input', 'Only http and https addresses are fetched.');
  if (url.username || url.password) throw new AppError('invalid_input', 'A web address must not hold a password.');
  url.hash = '';
  return url;
}

async function bodyOf(
  response: Awaited<ReturnType<typeof undiciFetch>>,
  maxBytes: number,
  url: URL,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    // After decompression: what counts is what has to be held.
    for await (const chunk of response.body ?? []) {
      bytes += (chunk as Uint8Array).byteLength;
      if (bytes > maxBytes) throw new AppError('upstream_rejected', `${url.host} sent more than ${maxBytes} bytes.`);
      chunks.push(chunk as Uint8Array);
    }
  } catch (thrown) {
    throw fetchFailure(thrown, url, signal);
  }
  return Buffer.concat(chunks);
}

function fetchFailure(thrown: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const cause = (thrown as { cause?: unknown }).cause;
  for (const each of [thrown, cause]) if (each instanceof AppError) return toAppError(each);
  if ((thrown as Error).name === 'TimeoutError')
    return new AppError('upstream_timeout', `${url.host} did not answer in time.`);
  return new AppError('upstream_unreachable', `${url.host} could not be reached.`, { cause: thrown });
}

const inTheHouse = (host: string) =>
  new AppError('forbidden', `${host.slice(0, 200)} is not on the open internet and is not fetched.`);
