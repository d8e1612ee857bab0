// How a request goes on to an imported server: it ends with the client's, and its progress is told to the client.
import type { ServerContext } from '@modelcontextprotocol/server';
import type { McpRequestOptions } from '../../../skills/mcp/ports.js';

export function passOptions({ mcpReq: { signal, _meta, notify } }: ServerContext): McpRequestOptions {
  const progressToken = _meta?.progressToken;
  return {
    signal,
    allowInputRequired: true,
    ...(progressToken === undefined
      ? {}
      : {
          onProgress: (progress) =>
            void notify({ method: 'notifications/progress', params: { ...progress, progressToken } }).catch(() => {}),
        }),
  };
}
