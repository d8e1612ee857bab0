// Imported servers through Venom: nothing of one client reaches another, and whatever ends, ends on both sides.
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import Fastify, { type FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { installGuard } from '../../src/http/guard.js';
import { McpEndpoint } from '../../src/http/mcp/mcp-endpoint.js';
import { takeBodiesAsText } from '../../src/http/routes/mcp-endpoints.js';
import { RemoteServers } from '../stand-ins/imported-servers.js';
import { startServer, type TestServer } from './server.js';

const waiting = new Set<string>();
let upstream: { app: FastifyInstance; endpoint: McpEndpoint; url: string };
let imported: RemoteServers;
let venom: TestServer;
const clients: Client[] = [];

type Arguments = { label: string };
const schema = fromJsonSchema<Arguments>({
  type: 'object',
  properties: { label: { type: 'string' } },
  required: ['label'],
});

function chattyServer(): McpServer {
  const server = new McpServer(
    { name: 'chatty', version: '1' },
    { capabilities: { logging: {}, resources: { listChanged: true } } },
  );
  server.registerTool('ask', { inputSchema: schema }, async ({ label }, { mcpReq }) => {
    await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data: `log of ${label}` } });
    for (let progress = 1; progress <= 3; progress += 1) {
      const progressToken = mcpReq._meta?.progressToken;
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 3, message: label },
      });
      await sleep(20);
    }
    const answer = await mcpReq.send({
      method: 'sampling/createMessage',
      params: { messages: [{ role: 'user', content: { type: 'text', text: label } }], maxTokens: 5 },
    });
    return { content: [{ type: 'text', text: `${label} was told: ${JSON.stringify(answer.content)}` }] };
  });
  server.registerTool('wait', { inputSchema: schema }, async ({ label }, { mcpReq }) => {
    waiting.add(label);
    await new Promise((resolve) => mcpReq.signal.addEventListener('abort', resolve, { once: true }));
    waiting.delete(label);
    return { content: [] };
  });
  server.registerTool('echo', { inputSchema: schema }, ({ label }) => ({ content: [{ type: 'text', text: label }] }));
  server.registerPrompt('greet', { description: 'Greets' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Good morning' } }],
  }));
  return server;
}

beforeAll(async () => {
  const app = Fastify({ forceCloseConnections: true });
  installGuard(app, { apiKey: '', userApiKeys: [], allowedHosts: [], allowedOrigins: [], host: '127.0.0.1' });
  takeBodiesAsText(app);
  const endpoint = new McpEndpoint({
    make: chattyServer,
    limits: { sessions: 100, idleMs: 60_000 },
    logger: pino({ level: 'silent' }),
  });
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler: (request, reply) => endpoint.handle(request, reply),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/mcp`;
  upstream = { app, endpoint, url };
  imported = new RemoteServers({
    older: { url, protocol: 'legacy' },
    newer: { url, protocol: 'modern' },
    off: { url, protocol: 'legacy', enabled: false },
    gone: { url: 'http://127.0.0.1:9/mcp', protocol: 'legacy' },
  });
  venom = await startServer({}, undefined, {}, { importedServers: imported });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close().catch(() => {})));
});
afterAll(async () => {
  await venom.close();
  await imported.close();
  await upstream.endpoint.close();
  await upstream.app.close();
});

async function connect(name: string, era: 'legacy' | 'modern', answers?: string): Promise<Client & { logs: string[] }> {
  const client = new Client(
    { name: answers ?? 'test', version: '1' },
    {
      ...(answers === undefined ? {} : { capabilities: { sampling: {} } }),
      versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' },
    },
  );
  const logs: string[] = [];
  if (answers !== undefined)
    client.setRequestHandler('sampling/createMessage', async () => ({
      model: 'm',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: answers },
    }));
  client.setNotificationHandler('notifications/message', ({ params }) => void logs.push(String(params.data)));
  await client.connect(new StreamableHTTPClientTransport(new URL(`${venom.url}/mcp/${name}`)));
  clients.push(client);
  return Object.assign(client, { logs });
}

const textOf = (result: { content?: unknown }) => JSON.stringify(result.content);

describe('the gateway', () => {
  it('keeps clients apart: answers, questions, progress and log lines reach the one they belong to', async () => {
    const names = ['anna', 'bert', 'carl', 'dora'];
    const connected = await Promise.all(names.map((name) => connect('older', 'legacy', name)));
    const seen = names.map(() => new Set<string>());
    const results = await Promise.all(
      connected.map((client, index) =>
        client.callTool(
          { name: 'ask', arguments: { label: `question of ${names[index]}` } },
          { onprogress: ({ message }) => void seen[index]?.add(message ?? '') },
        ),
      ),
    );
    for (const [index, name] of names.entries()) {
      const result = results[index];
      expect(result && textOf(result)).toContain(`question of ${name} was told`);
      expect(result && textOf(result)).toContain(`\\"text\\":\\"${name}\\"`);
      expect([...(seen[index] ?? [])]).toEqual([`question of ${name}`]);
      expect(connected[index]?.logs).toEqual([`log of question of ${name}`]);
    }
  });

  it.each([
    ['older', 'legacy'],
    ['newer', 'modern'],
    ['older', 'modern'],
    ['newer', 'legacy'],
  ] as const)('cancels at the %s server what a %s client cancels', async (name, era) => {
    const client = await connect(name, era);
    const label = `${name}-${era}`;
    const cancelling = new AbortController();
    const asked = client.callTool({ name: 'wait', arguments: { label } }, { signal: cancelling.signal });
    asked.catch(() => {});
    await vi.waitFor(() => expect([...waiting]).toContain(label));
    cancelling.abort();
    await expect(asked).rejects.toThrow();
    await vi.waitFor(() => expect([...waiting]).not.toContain(label));
  });

  it('joins all servers under names of their own, without those that cannot be asked', async () => {
    for (const era of ['legacy', 'modern'] as const) {
      const client = await connect('all', era);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(
        ['newer', 'older'].flatMap((server) => ['ask', 'wait', 'echo'].map((tool) => `${server}__${tool}`)),
      );
      expect(textOf(await client.callTool({ name: 'older__echo', arguments: { label: 'hello' } }))).toContain('hello');
      const prompt = await client.getPrompt({ name: 'newer__greet' });
      expect(JSON.stringify(prompt.messages)).toContain('Good morning');
      await expect(client.callTool({ name: 'off__echo', arguments: { label: 'x' } })).rejects.toThrow(/no tool/);
    }
  });

  it('tells with a code why a server is not there', async () => {
    const status = async (name: string) => {
      const response = await fetch(`${venom.url}/mcp/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
        }),
      });
      const { error } = (await response.json()) as { error: { data: { code: string } } };
      return [response.status, error.data.code];
    };
    expect(await status('nobody')).toEqual([404, 'mcp_server_not_found']);
    expect(await status('off')).toEqual([409, 'mcp_server_disabled']);
    expect((await status('gone'))[1]).toMatch(/^mcp_/);
  });

  it('passes on to each client that a list has changed', async () => {
    let heard = 0;
    const older = await connect('older', 'legacy');
    older.setNotificationHandler('notifications/resources/list_changed', () => {
      heard += 1;
    });
    await older.listTools();
    upstream.endpoint.resourcesChanged();
    await vi.waitFor(() => expect(heard).toBe(1));
  });

  it('ends its own connection with the session of the client, and the session with the server', async () => {
    const before = imported.open.size;
    const leaving = await connect('older', 'legacy');
    expect(imported.open.size).toBe(before + 1);
    await (leaving.transport as StreamableHTTPClientTransport).terminateSession();
    await vi.waitFor(() => expect(imported.open.size).toBe(before));

    imported.change('passing', { url: upstream.url, protocol: 'legacy' });
    const staying = await connect('passing', 'legacy');
    expect((await staying.listTools()).tools).toHaveLength(3);
    imported.change('passing', undefined);
    await vi.waitFor(() => expect(imported.open.size).toBe(before));
    await expect(staying.callTool({ name: 'echo', arguments: { label: 'x' } })).rejects.toThrow();
  });
});
