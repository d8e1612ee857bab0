// Installing into a pool of Ollama servers, over the wire.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { InstallProgress } from '../../models/ports.js';
import { OllamaClient } from './ollama-client.js';
import { OllamaModels } from './ollama-models.js';

interface FakeOllama {
  client: OllamaClient;
  pulls: string[];
  has: Set<string>;
  server: Server;
}
const all: FakeOllama[] = [];
afterEach(async () => {
  for (const { client, server } of all.splice(0)) {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function start(): Promise<FakeOllama> {
  const pulls: string[] = [];
  const has = new Set<string>();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    const json = (body: object, status = 200) => response.writeHead(status).end(JSON.stringify(body));
    if (request.url === '/api/version') return json({ version: '0.6.8' });
    if (request.url === '/api/tags')
      return json({ models: [...has].map((name) => ({ name, size: 10, digest: 'sha256:ab' })) });
    const { model } = JSON.parse(text || '{}') as { model: string };
    if (request.url === '/api/show') return json({ model_info: { 'x.context_length': 2_048 } });
    if (request.url === '/api/delete') return json({}, has.delete(model) ? 200 : 404);
    pulls.push(model);
    has.add(model);
    const lines = [
      { status: 'pulling', digest: 'sha256:ab', total: 10, completed: 4 },
      { status: 'pulling', digest: 'sha256:ab', total: 10, completed: 10 },
      { status: 'success' },
    ];
    return response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake = {
    client: new OllamaClient({ baseUrl, connectTimeoutMs: 500, idleTimeoutMs: 1_000 }),
    pulls,
    has,
    server,
  };
  all.push(fake);
  return fake;
}
const create = (...members: FakeOllama[]) =>
  new OllamaModels(
    members.map(({ client }) => client),
    { attempts: 1, backOffMs: 0 },
  );
const install = async (models: OllamaModels, seen: InstallProgress[] = []) => {
  const { signal } = new AbortController();
  const plan = await models.plan('smol:latest', 'ollama', signal);
  return models.install(plan, (progress) => seen.push(progress), signal);
};

it('brings a model to every member, with one count of bytes', async () => {
  const [a, b] = [await start(), await start()];
  const seen: InstallProgress[] = [];
  expect(await install(create(a, b), seen)).toMatchObject({
    name: 'smol:latest',
    capabilities: { maxContextLength: 2_048 },
  });
  expect([a.pulls, b.pulls]).toEqual([['smol:latest'], ['smol:latest']]);
  const bytes = seen.filter(({ step }) => step === 'download').map(({ receivedBytes }) => receivedBytes);
  expect(bytes).toEqual(bytes.toSorted((x, y) => x - y));
  expect(Math.max(...bytes)).toBe(20);
  expect(seen.filter(({ totalBytes }) => totalBytes !== null).every(({ totalBytes }) => totalBytes === 20)).toBe(true);
});

it('does not fail because one member is away, and does when all are', async () => {
  const [a, b] = [await start(), await start()];
  a.server.closeAllConnections();
  a.server.close();
  const models = create(a, b);
  expect(await install(models)).toMatchObject({ name: 'smol:latest' });
  expect(b.pulls).toEqual(['smol:latest']);
  b.server.closeAllConnections();
  b.server.close();
  await expect(install(models)).rejects.toMatchObject({ code: 'upstream_unreachable' });
});

it('removes it from every member that has it', async () => {
  const [a, b] = [await start(), await start()];
  const models = create(a, b);
  const manifest = await install(models);
  a.has.clear();
  await models.remove(manifest, new AbortController().signal);
  expect(b.has.size).toBe(0);
});
