// The official conformance suite against our MCP endpoint. Every scored scenario must pass: there is no list of exceptions.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../api/server.js';
import { startFixture } from './fixture-endpoint.js';
import { runServerSuite, suiteMissing } from './suite.js';

if (suiteMissing !== null) console.warn(`skipped: ${suiteMissing}`);

// What needs no fixtures, as the suite names it.
const GENERIC: [string, string][] = [
  ['tools-list', '2025-11-25'],
  ['tools-list', '2026-07-28'],
  ['resources-list', '2026-07-28'],
  ['prompts-list', '2026-07-28'],
  ['caching', '2026-07-28'],
  ['dns-rebinding-protection', '2025-11-25'],
];

describe.skipIf(suiteMissing !== null)("Venom's own tools", () => {
  let venom: TestServer;
  beforeAll(async () => {
    venom = await startServer();
  });
  afterAll(() => venom.close());

  it.each(GENERIC)('pass %s of %s', { timeout: 60_000 }, async (scenario, revision) => {
    const run = await runServerSuite(`${venom.url}/mcp`, ['--scenario', scenario, '--spec-version', revision]);
    if (process.env['SHOW_SUITE']) console.log(run.output);
    expect(run.code, run.output.slice(-2_000)).toBe(0);
    expect(run.passed).toBeGreaterThan(0);
  });
});

describe.skipIf(suiteMissing !== null)('the endpoint, with the fixtures of the suite', () => {
  let fixture: Awaited<ReturnType<typeof startFixture>>;
  beforeAll(async () => {
    fixture = await startFixture();
  });
  afterAll(() => fixture.close());

  it.each(['2025-11-25', '2026-07-28'])(
    'meets what is required of servers in %s',
    { timeout: 150_000 },
    async (revision) => {
      const { code, failures, output, passed } = await runServerSuite(fixture.url, ['--requirements', revision]);
      if (process.env['SHOW_SUITE']) console.log(output);
      expect(code, failures.join('\n')).toBe(0);
      // A suite that ran nothing has nothing to complain about either.
      expect(passed).toBeGreaterThan(80);
    },
  );
});
