// Our client as the suite drives it: the launcher and the logins of skills/mcp, with a person who logs in whenever a server
// wants it, and gives up after a few times.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../src/shared/errors.js';
import { ProcessRecords } from '../../src/skills/mcp/process-records.js';
import { RemoteAuthorizations } from '../../src/skills/mcp/remote-authorizations.js';
import type { RemoteLaunch } from '../../src/skills/mcp/server-definition.js';
import { ServerLauncher } from '../../src/skills/mcp/server-launcher.js';
import { ServerWatch } from '../../src/skills/mcp/server-watch.js';
import { StderrLog } from '../../src/skills/mcp/stderr-log.js';
import { machineWith } from '../stand-ins/isolation.js';
import { MemoryGrants } from '../stand-ins/memory-grants.js';

const LOGINS = 3;

interface Order {
  url: string;
  scenario: string;
  revision: string;
  context: {
    client_id?: string;
    client_secret?: string;
    toolCalls?: { name: string; arguments: Record<string, unknown> }[];
  };
}

export interface RelayedClient {
  /** To hand to the suite. */
  command: string;
  close(): Promise<void>;
}

export async function startVenomClient(): Promise<RelayedClient> {
  const folder = mkdtempSync(join(tmpdir(), 'venom-client-'));
  const records = new ProcessRecords(folder);
  const isolation = await machineWith('plain');
  const server = createServer((request, response) => {
    const answer = async () => {
      let text = '';
      for await (const piece of request) text += piece;
      const { code, said } = await drive(JSON.parse(text) as Order, { records, isolation });
      response.end(JSON.stringify({ code, said }));
    };
    answer().catch((error) => response.end(JSON.stringify({ code: 1, said: String(error) })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    command: `${process.execPath} ${join(import.meta.dirname, 'client-relay.mjs')} http://127.0.0.1:${port}/`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function drive(
  order: Order,
  parts: Pick<ConstructorParameters<typeof ServerLauncher>[0], 'records' | 'isolation'>,
): Promise<{ code: number; said: string }> {
  const { url, context } = order;
  const stored = new Map(context.client_secret === undefined ? [] : [['by-hand', context.client_secret]]);
  const secrets = { names: () => [], get: (name: string) => stored.get(name), set: () => {}, delete: () => {} };
  const authorizations = new RemoteAuthorizations({
    grants: new MemoryGrants(),
    logins: { load: () => [], save: () => {} },
    secrets,
    redirect: () => ({
      url: 'http://127.0.0.1:8000/oauth/callback',
      clientMetadataUrl: 'https://conformance-test.local/client-metadata.json',
    }),
    now: Date.now,
  });
  const launcher = new ServerLauncher({
    ...parts,
    secrets,
    authorizations,
    environment: {},
    watch: new ServerWatch({ processes: 1, memoryBytes: 1, diskBytes: 1 }),
    version: '1',
    limits: { startMs: 15_000, callIdleMs: 15_000, callCeilingMs: 30_000 },
  });
  const launch: RemoteLaunch = { kind: 'http', url, headers: {}, secrets: {}, allowPrivate: true };
  const said: string[] = [];
  for (let logins = 0; ; logins += 1) {
    try {
      await use(launcher, launch, order);
      return { code: 0, said: said.join('\n') };
    } catch (error) {
      said.push(String(error));
      if (!(error instanceof AppError) || error.code !== 'mcp_authorization_required' || logins === LOGINS)
        return { code: 1, said: said.join('\n') };
    }
    try {
      const { authorizationUrl } = await authorizations.begin('suite', launch, {
        ...(context.client_id === undefined ? {} : { clientId: context.client_id }),
        ...(context.client_secret === undefined ? {} : { clientSecret: 'by-hand' }),
      });
      const answer = await fetch(authorizationUrl, { redirect: 'manual' });
      await authorizations.complete(new URL(answer.headers.get('location') ?? '').searchParams);
    } catch (error) {
      said.push(String(error));
      return { code: 1, said: said.join('\n') };
    }
  }
}

/** What a conversation does with a server: looks at its tools, calls each, all at once, and answers what it is asked back. */
async function use(launcher: ServerLauncher, launch: RemoteLaunch, { revision, context }: Order): Promise<void> {
  const connection = await launcher.open({
    server: 'suite',
    launch,
    trusted: true,
    allowPlain: true,
    protocol: revision === '2026-07-28' ? 'modern' : 'legacy',
    interaction: {
      elicit: async (asked) => ({ action: 'accept', content: defaultsOf(asked) }),
    },
    log: new StderrLog(),
  });
  try {
    const { tools } = await connection.listTools();
    const calls =
      context.toolCalls ?? tools.map(({ name, inputSchema }) => ({ name, arguments: exampleOf(inputSchema, tools) }));
    const answers = await Promise.allSettled(calls.map((call) => connection.callTool(call)));
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  } finally {
    await connection.close();
  }
}

type Properties = Record<string, { type?: string; default?: unknown }>;

/** A person who leaves every field as it was proposed. */
function defaultsOf(asked: object): Record<string, string | number | boolean> {
  const { properties = {} } = (asked as { requestedSchema?: { properties?: Properties } }).requestedSchema ?? {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type, default: proposed }]) => [
      name,
      (proposed ?? (type === 'boolean' ? true : type === 'number' || type === 'integer' ? 1 : 'x')) as string,
    ]),
  );
}

/** Arguments of the kinds a tool wants; an object is what another tool said of itself. */
function exampleOf(inputSchema: object, tools: readonly { inputSchema: object }[]): Record<string, unknown> {
  const { properties = {} } = inputSchema as { properties?: Properties };
  const rich = tools.find((tool) => tool.inputSchema !== inputSchema)?.inputSchema ?? {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type }]) => [
      name,
      type === 'number' || type === 'integer' ? 1 : type === 'boolean' ? true : type === 'object' ? rich : 'x',
    ]),
  );
}
