// /mcp: Venom as an MCP server. /mcp/{name}: an imported server. /mcp/all: all of them joined.
import type { FastifyPluginAsync } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ImportedServers } from '../../skills/mcp/ports.js';
import { McpGateway } from '../mcp/gateway/mcp-gateway.js';
import { McpEndpoint, takeBodiesAsText } from '../mcp/mcp-endpoint.js';
import type { McpSessionLimits } from '../mcp/mcp-sessions.js';
import { type VenomMcpParts, venomMcpServer } from '../mcp/venom-mcp-server.js';

const METHODS = ['GET', 'POST', 'DELETE'];
const ServerName = z.object({ name: z.string().min(1).max(100) });

export interface McpEndpointsOptions {
  parts: VenomMcpParts;
  imported: ImportedServers;
  limits: McpSessionLimits;
  logger: Logger;
}

export const mcpEndpoints: FastifyPluginAsync<McpEndpointsOptions> = async (
  app,
  { parts, imported, limits, logger },
) => {
  takeBodiesAsText(app);
  const endpoint = new McpEndpoint({ make: () => venomMcpServer(parts), limits, logger });
  app.route({
    method: METHODS,
    url: '/mcp',
    schema: { hide: true },
    handler: (request, reply) => endpoint.handle(request, reply),
  });
  const leave = parts.onOperation(({ status, type }) => {
    if (status === 'completed' && (type === 'install' || type === 'remove')) endpoint.resourcesChanged();
  });
  app.addHook('preClose', async () => {
    leave();
    await endpoint.close();
  });

  const gateway = new McpGateway({ servers: imported, limits, version: parts.version, logger });
  app.route({
    method: METHODS,
    url: '/mcp/all',
    schema: { hide: true },
    handler: (request, reply) => gateway.all(request, reply),
  });
  app.route<{ Params: z.output<typeof ServerName> }>({
    method: METHODS,
    url: '/mcp/:name',
    schema: { params: ServerName, hide: true },
    handler: (request, reply) => gateway.one(request.params.name, request, reply),
  });
  app.addHook('preClose', () => gateway.close());
};
