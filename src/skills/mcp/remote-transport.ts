// The two ways to a remote server over HTTP: the streamable one, and the one of 2024 with a stream beside the requests.
import { SSEClientTransport, SseError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import { guardedFetch } from './guarded-fetch.js';
import type { McpTransport } from './mcp-connection.js';
import type { RemoteAuthorizations } from './remote-authorizations.js';
import type { RemoteLaunch } from './server-definition.js';

export interface RemoteTransportsOptions {
  server: string;
  launch: RemoteLaunch;
  /** With the values of its secrets. */
  headers: Readonly<Record<string, string>>;
  authorizations: RemoteAuthorizations;
}

export function remoteTransports({ server, launch, headers, authorizations }: RemoteTransportsOptions) {
  const url = new URL(launch.url);
  // A stored secret is what this server is shown; a login would only hide that it is wrong.
  const loggedIn = !Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  const means = () => {
    const guarded = guardedFetch(url.origin, launch);
    const request = (async (input: string | URL, init?: RequestInit) => {
      const answer = await guarded.fetch(input, init);
      if (answer.status === 403 && loggedIn) await authorizations.widen(server, launch, answer);
      return answer;
    }) as typeof fetch;
    const options = {
      fetch: request,
      requestInit: { headers },
      ...(loggedIn ? { authProvider: authorizations.provider(server, launch) } : {}),
    };
    return { guarded, options };
  };

  const streamable = (): McpTransport => {
    const { guarded, options } = means();
    const transport = new StreamableHTTPClientTransport(url, options);
    const close = transport.close.bind(transport);
    return Object.assign(transport, {
      close: async () => {
        await transport.terminateSession().catch(() => {});
        await close();
        await guarded.close();
      },
    }) as McpTransport;
  };

  const sse = (): McpTransport => {
    const { guarded, options } = means();
    const transport = new SSEClientTransport(url, options);
    const start = transport.start.bind(transport);
    const close = transport.close.bind(transport);
    let started = false;
    let failure: AppError | null = null;
    // The library would connect anew, to a session that knows nothing of this one.
    transport.onerror = (error) => {
      if (!started || !(error instanceof SseError)) return;
      started = false;
      failure = new AppError('mcp_crashed', `The stream of ${server} ended.`, { cause: error });
      void extended.close();
    };
    const extended = Object.assign(transport, {
      wire: 'sse' as const,
      start: async () => {
        await start();
        started = true;
      },
      close: async () => {
        started = false;
        await close();
        await guarded.close();
      },
    });
    Object.defineProperty(extended, 'failure', { get: () => failure });
    return extended as unknown as McpTransport;
  };

  return { streamable, sse };
}
