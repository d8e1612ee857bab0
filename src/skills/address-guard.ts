// Which addresses skills and remote MCP servers may lie at. What counts is the address a socket is connected to, not what a
// URL or a name server says.
import type { lookup as dnsLookup, LookupAddress } from 'node:dns';
import { buildConnector } from 'undici';
import type { AppError } from '../shared/errors.js';
import { isPublicAddress } from '../shared/public-address.js';

const CONNECT_TIMEOUT_MS = 10_000;

export const openConnector = (): buildConnector.connector => buildConnector({ timeout: CONNECT_TIMEOUT_MS });

/**
 * Only names that stand for public addresses are connected to, and once connected the socket itself is asked.
 * @param refusal  what is said of a host that is not on the open internet
 */
export function guardedConnector(
  resolve: typeof dnsLookup,
  refusal: (host: string) => AppError,
): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    lookup: ((host: string, options: object, done: (error: Error | null, ...found: unknown[]) => void) => {
      resolve(host, { ...options, all: true }, (error, found) => {
        if (error) return done(error);
        const addresses = found as unknown as LookupAddress[];
        const safe = addresses.filter(({ address }) => isPublicAddress(address));
        // One bad address among them is a name that plays tricks.
        if (safe.length === 0 || safe.length < addresses.length) return done(refusal(host));
        if ((options as { all?: boolean }).all) return done(null, safe);
        done(null, safe[0]?.address, safe[0]?.family);
      });
    }) as never,
  });
  return (options, done) =>
    connect(options, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error) return done(error, null);
      if (!isPublicAddress(socket?.remoteAddress ?? '')) {
        socket?.destroy();
        return done(refusal(options.hostname), null);
      }
      done(null, socket as NonNullable<typeof socket>);
    });
}
