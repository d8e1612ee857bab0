// Looking through a registry of MCP servers: found, paged, one that is not there, and a registry that fails.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeRegistry, startFakeRegistry } from '../stand-ins/mcp-registry.js';
import { startServer, type TestServer } from './server.js';

let registry: FakeRegistry;
let server: TestServer;

beforeEach(async () => {
  registry = await startFakeRegistry([
    {
      name: 'io.example/weather',
      title: 'Weather',
      description: 'Forecasts.',
      version: '1.2.0',
      repository: { url: 'https://example.org/weather' },
      packages: [
        {
          registryType: 'npm',
          identifier: '@example/weather',
          version: '1.2.0',
          packageArguments: [{ type: 'named', name: '--units', value: 'metric' }],
          environmentVariables: [{ name: 'WEATHER_KEY', isRequired: true, isSecret: true, description: 'Your key' }],
          transport: { type: 'stdio' },
        },
        { registryType: 42 },
      ],
    },
    {
      name: 'io.example/notes',
      version: '0.1.0',
      repository: { url: 'javascript:alert(1)' },
      remotes: [
        { type: 'streamable-http', url: 'https://notes.example.org/mcp' },
        { type: 'sse', url: 'https://notes.example.org/sse' },
      ],
    },
    { name: 7 },
  ]);
  server = await startServer({ MCP_REGISTRY_URL: registry.url });
});
afterEach(async () => {
  await server.close();
  await registry.close();
});

const ask = async (path: string) => {
  const response = await fetch(`${server.url}/api/v1/mcp/registry${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
};

describe('GET /mcp/registry', () => {
  it('lists the newest version of each server, and one bad entry does not hide the others', async () => {
    const { status, body } = await ask('');
    expect(status).toBe(200);
    expect(body['entries']).toEqual([
      {
        name: 'io.example/weather',
        title: 'Weather',
        description: 'Forecasts.',
        version: '1.2.0',
        state: 'active',
        repository: 'https://example.org/weather',
        updated_at: '2026-11-01T10:00:00Z',
        packages: [
          {
            kind: 'npm',
            identifier: '@example/weather',
            version: '1.2.0',
            args: ['--units', 'metric'],
            environment: [{ name: 'WEATHER_KEY', description: 'Your key', required: true, secret: true, value: null }],
          },
        ],
        remotes: [],
      },
      expect.objectContaining({
        name: 'io.example/notes',
        title: 'io.example/notes',
        repository: null,
        remotes: [{ url: 'https://notes.example.org/mcp', headers: [] }],
      }),
    ]);
    expect(registry.asked).toEqual(['/v0.1/servers?version=latest&limit=30']);
  });

  it('searches and pages', async () => {
    const first = await ask('?search=io.example&limit=1');
    expect(first.body).toMatchObject({ entries: [{ name: 'io.example/weather' }], next_cursor: '1' });
    const second = await ask(`?search=io.example&limit=1&cursor=${first.body['next_cursor']}`);
    expect(second.body).toMatchObject({ entries: [{ name: 'io.example/notes' }], next_cursor: null });
  });

  it('gives one server by its name', async () => {
    expect((await ask('/io.example%2Fnotes')).body).toMatchObject({ entry: { version: '0.1.0' } });
    expect(await ask('/io.example%2Fnothing')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it.each([
    [{ status: 500, text: 'oops' }, 'upstream_rejected'],
    [{ status: 200, text: '<html>' }, 'upstream_protocol'],
    [{ status: 302, text: '' }, 'upstream_rejected'],
  ])('says so when the registry answers %o', async (broken, code) => {
    registry.broken = broken;
    expect((await ask('')).body).toMatchObject({ code });
  });

  it('says so when the registry is gone, or none is set', async () => {
    await registry.close();
    expect(await ask('')).toMatchObject({ status: 502, body: { code: 'upstream_unreachable' } });
    await server.close();
    server = await startServer();
    expect(await ask('')).toMatchObject({ status: 400, body: { code: 'unsupported' } });
  });
});
