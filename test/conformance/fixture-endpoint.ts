// The suite's fixtures behind the very endpoint that serves Venom's own tools: guard, sessions, both eras.
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import pino from 'pino';
import { installErrorHandler } from '../../src/http/error-handler.js';
import { installGuard } from '../../src/http/guard.js';
import { McpEndpoint } from '../../src/http/mcp/mcp-endpoint.js';
import { takeBodiesAsText } from '../../src/http/routes/mcp-endpoints.js';
import { fixtureServer } from './fixture-server.js';

export async function startFixture(): Promise<{ url: string; close(): Promise<void> }> {
  const app = Fastify({ forceCloseConnections: true });
  installErrorHandler(app);
  installGuard(app, { apiKey: '', userApiKeys: [], allowedHosts: [], allowedOrigins: [], host: '127.0.0.1' });
  takeBodiesAsText(app);
  const endpoint: McpEndpoint = new McpEndpoint({
    make: () =>
      fixtureServer({
        toolsChanged: () => endpoint.notify.toolsChanged(),
        promptsChanged: () => endpoint.notify.promptsChanged(),
      }),
    limits: { sessions: 100, idleMs: 60_000 },
    logger: pino({ level: 'silent' }),
  });
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler: (request, reply) => endpoint.handle(request, reply),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/mcp`,
    async close() {
      await endpoint.close();
      await app.close();
    },
  };
}
