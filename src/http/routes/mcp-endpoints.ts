// /mcp: Venom as an MCP server. /mcp/{name}: an imported server. /mcp/all: all of them joined.
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import type { McpDoors, McpDoorsOptions } from '../mcp/mcp-doors.js';

const METHODS = ['GET', 'POST', 'DELETE'];
const ServerName = z.object({ name: z.string().min(1).max(100) });

export type McpEndpointsOptions = McpDoorsOptions;

export const mcpEndpoints: FastifyPluginAsync<McpEndpointsOptions> = async (app, options) => {
  takeBodiesAsText(app);
  let opened: Promise<McpDoors> | undefined;
  const doors = (): Promise<McpDoors> => {
    opened ??= import('../mcp/mcp-doors.js').then(({ openMcpDoors }) => openMcpDoors(options));
    return opened;
  };
  app.route({
    method: METHODS,
    url: '/mcp',
    schema: { hide: true },
    handler: async (request, reply) => (await doors()).own.handle(request, reply),
  });
  app.route({
    method: METHODS,
    url: '/mcp/all',
    schema: { hide: true },
    handler: async (request, reply) => (await doors()).gateway.all(request, reply),
  });
  app.route<{ Params: z.output<typeof ServerName> }>({
    method: METHODS,
    url: '/mcp/:name',
    schema: { params: ServerName, hide: true },
    handler: async (request, reply) => (await doors()).gateway.one(request.params.name, request, reply),
  });
  app.addHook('preClose', async () => (await opened)?.close());
};

/** Bodies reach the endpoints as text, so that what is no JSON is refused in the protocol's own words. */
export function takeBodiesAsText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
}
