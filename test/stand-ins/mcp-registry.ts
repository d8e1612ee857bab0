// A registry of MCP servers on this machine, with the entries it is given; it searches in names and pages as the real one does.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRegistry {
  url: string;
  servers: Record<string, unknown>[];
  /** Answered instead of anything else. */
  broken: { status: number; text: string } | null;
  asked: string[];
  close(): Promise<void>;
}

export async function startFakeRegistry(servers: Record<string, unknown>[]): Promise<FakeRegistry> {
  const listed = (server: Record<string, unknown>) => ({
    server,
    _meta: { 'io.modelcontextprotocol.registry/official': { status: 'active', updatedAt: '2026-11-01T10:00:00Z' } },
  });
  const http = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://registry');
    fake.asked.push(`${url.pathname}${url.search}`);
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (fake.broken) {
      response.writeHead(fake.broken.status).end(fake.broken.text);
      return;
    }
    const one = /^\/v0\.1\/servers\/([^/]+)\/versions\/latest$/.exec(url.pathname)?.[1];
    if (one !== undefined) {
      const found = fake.servers.find(({ name }) => name === decodeURIComponent(one));
      answer(found ? 200 : 404, found ? listed(found) : { title: 'Not Found' });
      return;
    }
    const wanted = url.searchParams.get('search') ?? '';
    const limit = Number(url.searchParams.get('limit'));
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const all = fake.servers.filter(({ name }) => String(name).includes(wanted));
    answer(200, {
      servers: all.slice(from, from + limit).map(listed),
      metadata: { count: all.length, ...(from + limit < all.length ? { nextCursor: String(from + limit) } : {}) },
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const fake: FakeRegistry = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    servers,
    broken: null,
    asked: [],
    close: () => new Promise((resolve) => http.close(() => resolve())),
  };
  return fake;
}
