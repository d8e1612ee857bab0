// HTTP to remote MCP servers: one origin, no redirects, and no address inside the house unless an administrator said so. The
// address that counts is the one the socket is connected to, not what a name or a text claims.
import { BlockList, isIP } from 'node:net';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import { AppError } from '../../shared/errors.js';

const CONNECT_MS = 10_000;

const INSIDE = new BlockList();
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  INSIDE.addSubnet(address, prefix, 'ipv4');
for (const [address, prefix] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INSIDE.addSubnet(address, prefix, 'ipv6');

/** Loopback, private, link-local and the like, also where IPv4 is wrapped in IPv6. */
export function isInside(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const kind = isIP(mapped ?? address);
  if (kind === 0) return true;
  return INSIDE.check(mapped ?? address, kind === 4 ? 'ipv4' : 'ipv6');
}

export interface GuardedFetch {
  fetch: typeof fetch;
  close(): Promise<void>;
}

/** @param origin  the only one it talks to: credentials must not travel to another */
export function guardedFetch(origin: string, { allowPrivate }: { allowPrivate: boolean }): GuardedFetch {
  const connect = buildConnector({ timeout: CONNECT_MS });
  const agent = new Agent({
    connect: (options, callback) =>
      connect(options, (error, socket) => {
        if (error || !socket || allowPrivate || !isInside(socket.remoteAddress ?? ''))
          return (callback as (error: Error | null, socket: unknown) => void)(error, socket);
        socket.destroy();
        return callback(
          new AppError('forbidden', `${origin} lies in a private network; an administrator can allow that.`),
          null,
        );
      }),
    connections: 8,
    headersTimeout: 60_000,
    bodyTimeout: 0,
  });
  return {
    fetch: (async (input: string | URL, init: RequestInit = {}) => {
      if (new URL(input).origin !== origin)
        throw new AppError('upstream_redirect', `A request for ${origin} was to go somewhere else.`);
      return undiciFetch(input, { ...(init as object), redirect: 'error', dispatcher: agent });
    }) as unknown as typeof fetch,
    close: () => agent.destroy(),
  };
}
