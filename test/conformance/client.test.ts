// The conformance suite against our client, logins included: what is required of clients in each revision, all of it scored. The
// suite's extensions (client credentials, DPoP and the like) run along, unscored: we do not offer them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runClientSuite, suiteMissing } from './suite.js';
import { type RelayedClient, startVenomClient } from './venom-client.js';

if (suiteMissing !== null) console.warn(`skipped: ${suiteMissing}`);

const LEAST_LOGINS = { '2025-11-25': 14, '2026-07-28': 25 };
const UNSCORED =
  /auth\/(client-credentials-jwt|client-credentials-basic|enterprise-managed-authorization|dpop|dpop-nonce|wif-jwt-bearer)\b/;

describe.skipIf(suiteMissing !== null)("Venom's client", () => {
  let client: RelayedClient;
  beforeAll(async () => {
    client = await startVenomClient();
  });
  afterAll(() => client.close());

  it.each(['2025-11-25', '2026-07-28'] as const)(
    'meets what is required of clients in %s',
    { timeout: 150_000 },
    async (revision) => {
      const run = await runClientSuite(client.command, ['--requirements', revision]);
      if (process.env['SHOW_SUITE']) console.log(run.output);
      const scenarios = run.output.split('\n').filter((line) => /^[✓✗] /.test(line));
      expect(scenarios.filter((line) => line.startsWith('✗') && !UNSCORED.test(line))).toEqual([]);
      expect(run.code, run.failures.join('\n')).toBe(0);
      expect(scenarios.filter((line) => /^✓ auth\//.test(line)).length).toBeGreaterThanOrEqual(LEAST_LOGINS[revision]);
      expect(run.passed).toBeGreaterThan(250);
    },
  );
});
