// Venom's own MCP endpoint and the gateway to imported servers, made together when the first client comes: the protocol's
// library is large, and most servers of ours never see an MCP client.
import type { Logger } from 'pino';
import type { ImportedServers } from '../../skills/mcp/ports.js';
import { McpGateway, type McpGatewayOptions } from './gateway/mcp-gateway.js';
import { McpEndpoint, ownerOf } from './mcp-endpoint.js';
import type { McpSessionLimits } from './mcp-sessions.js';
import { type VenomMcpParts, venomMcpServer } from './venom-mcp-server.js';

export interface McpDoorsOptions {
  parts: Omit<VenomMcpParts, 'owner'>;
  imported: ImportedServers;
  /** Whether somebody's key may use an imported server. */
  grants: McpGatewayOptions['grants'];
  limits: McpSessionLimits;
  logger: Logger;
}

export interface McpDoors {
  own: McpEndpoint;
  gateway: McpGateway;
  close(): Promise<void>;
}

export function openMcpDoors({ parts, imported, grants, limits, logger }: McpDoorsOptions): McpDoors {
  const own = new McpEndpoint({
    make: ({ caller }) => venomMcpServer({ ...parts, owner: ownerOf(caller) }),
    limits,
    logger,
  });
  const gateway = new McpGateway({ servers: imported, grants, limits, version: parts.version, logger });
  const leave = parts.onOperation(({ status, type }) => {
    if (status === 'completed' && (type === 'install' || type === 'remove')) own.resourcesChanged();
  });
  return {
    own,
    gateway,
    close: async () => {
      leave();
      await Promise.all([own.close(), gateway.close()]);
    },
  };
}
