// HTTP to remote MCP servers and to those that vouch for us there: no redirects to elsewhere, bounded answers, and no address
// inside the house unless an administrator said so.
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { Agent, fetch as undiciFetch } from 'undici';
import { AppError } from '../../shared/errors.js';
import { guardedConnector, openConnector } from '../address-guard.js';

/** Of one event or one answer: a tool may give back images. */
const MESSAGE_BYTES_MAX = 32 * 1_048_576;
/** Of what is said about a login. */
const DOCUMENT_BYTES_MAX = 262_144;
const DOCUMENT_MS = 15_000;
const EVENT_ENDS = ['\n\n', '\n\r\n', '\r\r'];
const NO_BODY = new Set([101, 204, 205, 304]);

export interface GuardedFetch {
  fetch: typeof fetch;
  close(): Promise<void>;
}

/** @param origin  the only one it talks to: credentials must not travel to another */
export function guardedFetch(origin: string, { allowPrivate }: { allowPrivate: boolean }): GuardedFetch {
  const agent = agentFor(allowPrivate, { bodyTimeout: 0 });
  return {
    fetch: (async (input: string | URL, init: RequestInit = {}) => {
      if (new URL(input).origin !== origin)
        throw new AppError('upstream_redirect', `A request for ${origin} was to go somewhere else.`);
      const answer = await undiciFetch(input, { ...(init as object), redirect: 'error', dispatcher: agent });
      const body = answer.body as ReadableStream<Uint8Array> | null;
      const stream = /^text\/event-stream\b/i.test(answer.headers.get('content-type') ?? '');
      return rebuilt(answer, body && bounded(body, origin, stream));
    }) as unknown as typeof fetch,
    close: () => agent.destroy(),
  };
}

/**
 * For authorization servers: any origin, each over https. Answers are short documents, read whole.
 * @param allowPrivate  also addresses in the house, and plain http to this machine
 */
export function documentFetch({ allowPrivate }: { allowPrivate: boolean }): GuardedFetch {
  const agent = agentFor(allowPrivate, { bodyTimeout: DOCUMENT_MS });
  return {
    fetch: (async (input: string | URL, init: RequestInit = {}) => {
      const url = new URL(input);
      if (!isConfidential(url, allowPrivate))
        throw new AppError('forbidden', `A login goes over https, not to ${url.origin}.`);
      const limit = AbortSignal.timeout(DOCUMENT_MS);
      const answer = await undiciFetch(url, {
        ...(init as object),
        // The protocol's library follows within the origin itself; nothing else is followed.
        redirect: init.redirect === 'manual' ? 'manual' : 'error',
        signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit,
        dispatcher: agent,
      });
      return rebuilt(answer, answer.body && (await whole(answer.body as ReadableStream<Uint8Array>, url.origin)));
    }) as unknown as typeof fetch,
    close: () => agent.destroy(),
  };
}

/** Whether what is said there stays between the two: TLS, or this machine alone where that is allowed. */
export function isConfidential(url: URL, allowPrivate: boolean): boolean {
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const here = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return url.protocol === 'http:' && allowPrivate && here;
}

function agentFor(allowPrivate: boolean, limits: { bodyTimeout: number }): Agent {
  const refusal = (host: string) =>
    new AppError('forbidden', `${host} lies in a private network; an administrator can allow that.`);
  return new Agent({
    connect: allowPrivate ? openConnector() : guardedConnector(lookup, refusal),
    connections: 8,
    headersTimeout: 60_000,
    ...limits,
  });
}

/** The platform's own kind of answer: the protocol's library tells them apart. */
const rebuilt = (
  answer: { status: number; statusText: string; headers: Iterable<[string, string]> },
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
): Response =>
  new Response(NO_BODY.has(answer.status) ? null : body, {
    status: answer.status,
    statusText: answer.statusText,
    headers: [...answer.headers],
  });

/** An event stream may go on for ever, one event of it may not. */
function bounded(body: ReadableStream<Uint8Array>, origin: string, stream: boolean): ReadableStream<Uint8Array> {
  let bytes = 0;
  let tail: Uint8Array = new Uint8Array();
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        // An end may be cut in two.
        const seen = Buffer.concat([tail, piece]);
        const end = stream ? Math.max(...EVENT_ENDS.map((mark) => seen.lastIndexOf(mark))) : -1;
        bytes = end === -1 ? bytes + piece.length : seen.length - end;
        tail = seen.subarray(-3);
        if (bytes > MESSAGE_BYTES_MAX) controller.error(tooLong(origin, MESSAGE_BYTES_MAX));
        else controller.enqueue(piece);
      },
    }),
  );
}

async function whole(body: ReadableStream<Uint8Array>, origin: string): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > DOCUMENT_BYTES_MAX) throw tooLong(origin, DOCUMENT_BYTES_MAX);
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

const tooLong = (origin: string, limit: number): AppError =>
  new AppError('upstream_protocol', `An answer of ${origin} is longer than ${limit} bytes.`);
