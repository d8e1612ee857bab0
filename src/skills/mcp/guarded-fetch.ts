// HTTP to remote MCP servers: one origin, no redirects, and no address inside the house unless an administrator said so.
import { lookup } from 'node:dns';
import { Agent, fetch as undiciFetch } from 'undici';
import { AppError } from '../../shared/errors.js';
import { guardedConnector, openConnector } from '../address-guard.js';

export interface GuardedFetch {
  fetch: typeof fetch;
  close(): Promise<void>;
}

/** @param origin  the only one it talks to: credentials must not travel to another */
export function guardedFetch(origin: string, { allowPrivate }: { allowPrivate: boolean }): GuardedFetch {
  const refusal = () =>
    new AppError('forbidden', `${origin} lies in a private network; an administrator can allow that.`);
  const agent = new Agent({
    connect: allowPrivate ? openConnector() : guardedConnector(lookup, refusal),
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
