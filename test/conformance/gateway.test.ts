// The conformance suite against a server that is imported into Venom: client, gateway and endpoint at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../api/server.js';
import { RemoteServers } from '../stand-ins/imported-servers.js';
import { startFixture } from './fixture-endpoint.js';
import { runServerSuite, suiteMissing } from './suite.js';

if (suiteMissing !== null) console.warn(`skipped: ${suiteMissing}`);

describe.skipIf(suiteMissing !== null)('an imported server, through the gateway', () => {
  let fixture: Awaited<ReturnType<typeof startFixture>>;
  let imported: RemoteServers;
  let venom: TestServer;

  beforeAll(async () => {
    fixture = await startFixture();
    imported = new RemoteServers({
      older: { url: fixture.url, protocol: 'legacy' },
      newer: { url: fixture.url, protocol: 'modern' },
    });
    venom = await startServer({}, undefined, {}, { importedServers: imported });
  });
  afterAll(async () => {
    await venom.close();
    await imported.close();
    await fixture.close();
  });

  it.each([
    ['2025-11-25', 'older'],
    ['2026-07-28', 'newer'],
  ])('meets what is required of servers in %s', { timeout: 150_000 }, async (revision, name) => {
    const run = await runServerSuite(`${venom.url}/mcp/${name}`, ['--requirements', revision]);
    if (process.env['SHOW_SUITE']) console.log(run.output);
    expect(run.code, run.failures.join('\n')).toBe(0);
    expect(run.passed).toBeGreaterThan(80);
  });
});
