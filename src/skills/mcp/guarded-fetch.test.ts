import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { guardedFetch } from './guarded-fetch.js';
import { McpConnection } from './mcp-connection.js';

let server: Server;
let origin: string;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(String(request.url));
    if (request.url === '/events' || request.url === '/endless') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = `data: ${'x'.repeat(1_048_576)}${request.url === '/events' ? '\r\n\r\n' : ''}`;
      for (let index = 0; index < 34; index += 1) response.write(event);
      return response.end();
    }
    if (request.url === '/moved') response.writeHead(302, { location: '/' });
    return response.end('hello');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

it('sends nothing to an address inside the house, and says why', async () => {
  const { fetch, close } = guardedFetch(origin, { allowPrivate: false });
  const connection = McpConnection.open({
    server: 'inside',
    version: '0',
    protocol: 'auto',
    startMs: 5_000,
    idleMs: 5_000,
    ceilingMs: 5_000,
    transport: () => new StreamableHTTPClientTransport(new URL(origin), { fetch }),
  });
  await expect(connection).rejects.toMatchObject({ code: 'forbidden' });
  expect(asked).toEqual([]);
  await close();
});

it('goes there where an administrator said so, but not on to another place', async () => {
  const { fetch, close } = guardedFetch(origin, { allowPrivate: true });
  expect(await (await fetch(`${origin}/`)).text()).toBe('hello');
  await expect(fetch(`${origin}/moved`)).rejects.toThrow();
  await expect(fetch('http://127.0.0.2:1/')).rejects.toMatchObject({ code: 'upstream_redirect' });
  expect(asked).toEqual(['/', '/moved']);
  await close();
});

it('reads as many events as there are, but no event without an end', async () => {
  const { fetch, close } = guardedFetch(origin, { allowPrivate: true });
  expect((await (await fetch(`${origin}/events`)).text()).length).toBeGreaterThan(34 * 1_048_576);
  const endless = await fetch(`${origin}/endless`);
  await expect(endless.text()).rejects.toMatchObject({ code: 'upstream_protocol' });
  await close();
});
