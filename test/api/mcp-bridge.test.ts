// `venom mcp`: what a client says on stdin reaches the server, and what it says comes back on stdout.
import { PassThrough } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { McpBridge } from '../../src/cli/mcp-bridge.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const KEY = 'a-key-of-sufficient-length';
let upstream: FakeUpstream;
let server: TestServer;
let port: string;
let client: { write(message: object): void; lines: Record<string, unknown>[]; end(): void };
let bridge: McpBridge;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ VENOM_API_KEY: KEY, LLM_LOCAL_ENDPOINT: upstream.url });
  port = new URL(server.url).port;
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const lines: Record<string, unknown>[] = [];
  let text = '';
  stdout.on('data', (bytes) => {
    text += bytes;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      lines.push(JSON.parse(text.slice(0, end)));
      text = text.slice(end + 1);
    }
  });
  client = { write: (message) => stdin.write(`${JSON.stringify(message)}\n`), lines, end: () => stdin.end() };
  bridge = new McpBridge(new StdioServerTransport(stdin, stdout), {
    url: new URL(`${server.url}/mcp`),
    apiKey: KEY,
    note: () => {},
  });
  await bridge.start();
});
afterEach(async () => {
  await bridge.close();
  await server.close();
  await upstream.close();
});

const answer = (id: number) =>
  vi.waitFor(() => {
    const found = client.lines.find((line) => line['id'] === id && !('method' in line));
    if (!found) throw new Error(`no answer to ${id}`);
    return found as { result?: Record<string, unknown>; error?: { message: string } };
  }, 8_000);

async function initialize() {
  client.write({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'desktop', version: '1' } },
  });
  const { result } = await answer(1);
  client.write({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return result;
}

describe('McpBridge', () => {
  it('carries a session of the 2025 era, with progress, and ends it with the client', async () => {
    upstream.behaviour = streams(['One', ' two'], 300);
    expect(await initialize()).toMatchObject({ serverInfo: { name: 'venom' } });
    client.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect((await answer(2)).result?.['tools']).toHaveLength(17);
    client.write({
      jsonrpc: '2.0',
      id: 3,
      method: 'tools/call',
      params: { name: 'chat', arguments: { message: 'Count' }, _meta: { progressToken: 'p' } },
    });
    expect((await answer(3)).result?.['structuredContent']).toMatchObject({ answer: 'One two' });
    expect(client.lines.some((line) => line['method'] === 'notifications/progress')).toBe(true);
    client.end();
    await bridge.done;
  });

  it('carries requests of the 2026 era, and lets go of them when they are cancelled', async () => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'desktop', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    client.write({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta } });
    expect((await answer(1)).result?.['supportedVersions']).toContain('2026-07-28');
    upstream.behaviour = streams(
      Array.from({ length: 500 }, () => 'word '),
      20,
    );
    client.write({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'chat', arguments: { message: 'For ever' }, _meta },
    });
    await vi.waitFor(() => expect(upstream.open()).toBe(1));
    client.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
    await vi.waitFor(() => expect(upstream.open()).toBe(0), 5_000);
  });

  it('begins the session anew where the server was restarted, and answers with an error while there is none', async () => {
    await initialize();
    await server.close({ keepData: true });
    client.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect((await answer(2)).error?.message).toContain('Venom at');
    server = await startServer(
      { VENOM_API_KEY: KEY, LLM_LOCAL_ENDPOINT: upstream.url },
      server.dataDir,
      {},
      {},
      Number(port),
    );
    client.write({ jsonrpc: '2.0', id: 3, method: 'tools/list' });
    expect((await answer(3)).result?.['tools']).toHaveLength(17);
    expect(client.lines.filter((line) => line['id'] === 1)).toHaveLength(1);
  });
});
