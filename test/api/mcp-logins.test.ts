// Remote MCP servers that want a login: from the import to the first call, and everything that must not work on the way.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ProtectedMcp } from '../stand-ins/protected-mcp.js';
import { commandLine } from './command-line.js';
import { startServer, type TestServer } from './server.js';

let server: TestServer;
let remote: ProtectedMcp;

type Json = Record<string, never> & { [key: string]: Json };

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

async function ended(operation: Json | undefined): Promise<Json> {
  const path = `/models/operations/${operation?.['operation_id']}`;
  return vi.waitFor(
    async () => {
      const { body } = await ask('GET', path);
      const now = (body['operation'] ?? body) as Json;
      if (['pending', 'in_progress'].includes(String(now['status']))) throw new Error('not yet');
      return now;
    },
    { timeout: 20_000, interval: 20 },
  );
}

/** To the end of its approval. */
async function imported(name: string, url = remote.url, more: Record<string, unknown> = {}): Promise<Json> {
  const source = { kind: 'remote', url, allow_private: true };
  const planned = await ended((await ask('POST', '/mcp/import', { name, source, ...more })).body['operation']);
  const plans = (await ask('GET', '/mcp/plans')).body['plans'] as unknown as Json[];
  const plan = plans.find((known) => known['plan_id'] === planned['result']?.['plan_id']);
  if (!plan) throw new Error(`no plan: ${JSON.stringify(planned)}`);
  return ended((await ask('POST', `/mcp/plans/${plan['plan_id']}/approve`, { hash: plan['hash'] })).body['operation']);
}

const begin = (name: string, body?: unknown) => ask('POST', `/mcp/servers/${name}/authorize`, body);

/** What a browser does: asks the authorization server, and goes where it is sent. */
async function returnAddress(authorizationUrl: unknown): Promise<URL> {
  const answer = await fetch(String(authorizationUrl), { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? '');
}

async function loggedIn(name: string): Promise<void> {
  const { body } = await begin(name);
  const page = await fetch(await returnAddress(body['authorization_url']));
  expect(page.status).toBe(200);
  await stateOf(name, 'running');
}

const stateOf = (name: string, state: string): Promise<Json> =>
  vi.waitFor(
    async () => {
      const found = (await ask('GET', `/mcp/servers/${name}`)).body['server'] ?? ({} as Json);
      expect(found['state']).toBe(state);
      return found;
    },
    { timeout: 10_000, interval: 20 },
  );

const call = (tool: string, text = 'x') => ask('POST', '/mcp/call', { tool, input: { text } });
const file = () => readFileSync(join(server.dataDir, 'mcp-logins.json'), 'utf8');

beforeAll(async () => {
  remote = await ProtectedMcp.start();
  server = await startServer();
});
afterAll(async () => {
  await server.close();
  await remote.close();
});
afterEach(() => {
  remote.faults = {};
});

describe('a remote server that wants a login', () => {
  it('is imported, says so, and can be used once a person has logged in', async () => {
    expect(await imported('notes')).toMatchObject({ status: 'completed', result: { needs_authorization: true } });
    expect(await stateOf('notes', 'needs_authorization')).toMatchObject({
      authorization: { state: 'needed' },
      tools: 0,
    });
    expect(await call('notes__read')).toMatchObject({ status: 404 });

    const { status, body } = await begin('notes');
    expect(status).toBe(200);
    const address = new URL(String(body['authorization_url']));
    expect(address.origin).toBe(remote.issuer);
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      resource: remote.url,
      redirect_uri: `${server.url}/oauth/callback`,
      scope: 'read',
    });

    const back = await returnAddress(address);
    const page = await fetch(back, { headers: { 'accept-language': 'de-DE,de;q=0.9' } });
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).toContain('Venom darf notes jetzt benutzen.');
    expect(await stateOf('notes', 'running')).toMatchObject({
      tools: 2,
      quarantined: 0,
      authorization: { state: 'granted', issuer: remote.issuer, scope: 'read' },
    });
    expect((await call('notes__read', 'hello')).body).toMatchObject({ status: 'success', text: 'read hello' });
  });

  it('keeps its tokens in a file of its owner, and shows them to nobody but the server itself', async () => {
    expect(statSync(join(server.dataDir, 'mcp-logins.json')).mode & 0o777).toBe(0o600);
    const secrets = [...file().matchAll(/(?:access|renewal)-[0-9a-f-]{36}/g)].map(([token]) => token);
    expect(secrets.length).toBeGreaterThan(1);
    for (const path of ['/mcp/servers', '/mcp/servers/notes', '/mcp/servers/notes/logs', '/mcp/export', '/mcp/secrets'])
      for (const secret of secrets) expect(JSON.stringify((await ask('GET', path)).body)).not.toContain(secret);
    const carried = remote.seen.filter(({ authorization }) => authorization.includes('access-'));
    expect(carried.length).toBeGreaterThan(0);
    expect(new Set(carried.map(({ at, path }) => `${at} ${path}`))).toEqual(new Set(['mcp /mcp']));
  });

  it('is renewed once when its token has run out, however many calls find that out', async () => {
    remote.expireTokens();
    const before = remote.refreshes;
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => call('notes__read', text)));
    expect(answers.map(({ body }) => String(body['text']))).toEqual(['read a', 'read b', 'read c', 'read d']);
    expect(remote.refreshes).toBe(before + 1);
  });

  it('survives a restart with its login', async () => {
    await server.close({ keepData: true });
    server = await startServer({}, server.dataDir);
    expect((await call('notes__read', 'again')).body).toMatchObject({ text: 'read again' });
  });

  it('whose authorization server is away for a while keeps its login', async () => {
    remote.expireTokens();
    remote.faults = { token: { status: 503, body: { error: 'temporarily_unavailable' } } };
    expect((await call('notes__read')).body['status']).not.toBe('success');
    remote.faults = {};
    expect((await ask('POST', '/mcp/servers/notes/restart')).status).toBe(200);
    expect((await call('notes__read', 'back')).body).toMatchObject({ text: 'read back' });
  });

  it('asks for a wider scope by a new login, with what it had', async () => {
    expect((await call('notes__write')).body).toMatchObject({ code: 'mcp_authorization_required' });
    await stateOf('notes', 'needs_authorization');
    const { body } = await begin('notes');
    expect(new URL(String(body['authorization_url'])).searchParams.get('scope')).toBe('read write');
    await fetch(await returnAddress(body['authorization_url']));
    await stateOf('notes', 'running');
    expect((await call('notes__write', 'now')).body).toMatchObject({ text: 'write now' });
  });

  it('whose renewal is refused needs a new login, and is not taken for one that crashes', async () => {
    remote.expireTokens();
    remote.forgetRenewals();
    for (let attempt = 0; attempt < 7; attempt += 1)
      expect((await call('notes__read')).body).toMatchObject({ code: 'mcp_authorization_required' });
    await stateOf('notes', 'needs_authorization');
    await loggedIn('notes');
    expect((await call('notes__read', 'new')).body).toMatchObject({ text: 'read new' });
  });

  it('is logged out here and there', async () => {
    const renewal = /renewal-[0-9a-f-]{36}/.exec(file())?.[0];
    const { body } = await ask('DELETE', '/mcp/servers/notes/authorize');
    expect(body).toMatchObject({ revoked: true, server: { state: 'needs_authorization' } });
    expect(remote.revoked).toContain(renewal);
    expect(file()).not.toMatch(/(?:access|renewal)-/);
    expect((await call('notes__read')).body).toMatchObject({ code: 'mcp_authorization_required' });
  });

  it('leaves nothing behind when it is removed, and the next one of its name starts without a login', async () => {
    await loggedIn('notes');
    expect((await ask('DELETE', '/mcp/servers/notes')).status).toBe(200);
    expect(file()).toBe('[]\n');
    expect(await imported('notes')).toMatchObject({ result: { needs_authorization: true } });
  });

  it('at another address under the same name is not shown the login of the first', async () => {
    await loggedIn('notes');
    const other = await ProtectedMcp.start();
    await imported('notes', other.url);
    await stateOf('notes', 'needs_authorization');
    expect(other.seen).toEqual([]);
    expect((await ask('POST', '/mcp/servers/notes/rollback')).status).toBe(200);
    expect((await call('notes__read', 'first')).body).toMatchObject({ text: 'read first' });
    await other.close();
  });

  it('with a stored secret is not asked for a login: the secret is wrong', async () => {
    await ask('PUT', '/mcp/secrets/key', { value: 'not-the-right-one' });
    const operation = await imported('keyed', remote.url, { secrets: { Authorization: 'key' } });
    expect(operation).toMatchObject({ status: 'failed', error_code: 'upstream_rejected' });
  });
});

describe('what comes back from a browser', () => {
  const callback = (parameters: Record<string, string>) =>
    fetch(`${server.url}/oauth/callback?${new URLSearchParams(parameters)}`);

  it('is good once', async () => {
    const { body } = await begin('notes');
    const back = await returnAddress(body['authorization_url']);
    const answers = await Promise.all([fetch(back), fetch(back)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect((await fetch(back)).status).toBe(400);
  });

  it('with an unknown state, without one, or with the one of a login that was begun anew is nothing', async () => {
    const first = await begin('notes');
    const back = await returnAddress(first.body['authorization_url']);
    await begin('notes');
    expect((await fetch(back)).status).toBe(400);
    expect((await callback({ code: 'x', state: 'y'.repeat(43) })).status).toBe(400);
    expect((await callback({ code: 'x' })).status).toBe(400);
  });

  it.each([
    ['another issuer', 'https://evil.example'],
    ['none, where one was promised', undefined],
  ])('from %s is not redeemed', async (_what, iss) => {
    remote.faults = { iss: () => iss };
    const { body } = await begin('notes');
    const back = await returnAddress(body['authorization_url']);
    const page = await fetch(back);
    expect(page.status).toBe(400);
    const text = await page.text();
    expect(text).toContain('another authorization server');
    expect(text).not.toContain('evil.example');
  });

  it('a refusal is told without the words of who refused', async () => {
    const { body } = await begin('notes');
    const state = new URL(String(body['authorization_url'])).searchParams.get('state') ?? '';
    const page = await callback({
      state,
      iss: remote.issuer,
      error: 'access_denied',
      error_description: '<script>alert(1)</script>',
    });
    expect(page.status).toBe(400);
    const text = await page.text();
    expect(text).toContain('was refused');
    expect(text).not.toContain('script>');
  });

  it('finds the server it was begun at also after a restart; what is kept meanwhile only its owner can read', async () => {
    const { body } = await begin('notes');
    const back = await returnAddress(body['authorization_url']);
    const path = join(server.dataDir, 'mcp-logins-begun.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).not.toContain(back.searchParams.get('state'));
    const port = Number(new URL(server.url).port);
    await server.close({ keepData: true });
    server = await startServer({}, server.dataDir, {}, {}, port);
    expect((await fetch(back)).status).toBe(200);
    expect((await fetch(back)).status).not.toBe(200);
    await stateOf('notes', 'running');
    expect((await call('notes__read', 'after all')).body).toMatchObject({ text: 'read after all' });
  });

  it('after a logout is worth nothing', async () => {
    const { body } = await begin('notes');
    const back = await returnAddress(body['authorization_url']);
    await ask('DELETE', '/mcp/servers/notes/authorize');
    expect((await fetch(back)).status).toBe(400);
    await stateOf('notes', 'needs_authorization');
  });
});

describe('an authorization server that cannot be used', () => {
  it.each([
    ['without PKCE', { code_challenge_methods_supported: ['plain'] }],
    ['that says nothing of PKCE', { code_challenge_methods_supported: undefined }],
    ['under another name', { issuer: 'https://elsewhere.example' }],
    ['whose page is no page', { authorization_endpoint: 'javascript:alert(1)' }],
    ['whose tokens go over plain http', { token_endpoint: 'http://192.0.2.1/token' }],
    ['that registers nobody', { registration_endpoint: undefined }],
  ])('%s gets a code and no browser', async (_what, metadata) => {
    remote.faults = { metadata };
    await ask('DELETE', '/mcp/servers/fresh');
    await imported('fresh');
    const { status, body } = await begin('fresh');
    expect({ status, code: body['code'] }).toEqual({ status: 502, code: 'mcp_authorization_failed' });
    expect(body['authorization_url']).toBeUndefined();
  });

  it('of a server that says to be another resource is not asked', async () => {
    remote.faults = { resource: 'https://bank.example/mcp' };
    expect((await begin('fresh')).body).toMatchObject({ code: 'mcp_authorization_failed' });
  });

  it('takes a client that was registered by hand, whose secret stays with the secrets', async () => {
    remote.faults = { metadata: { registration_endpoint: undefined } };
    remote.registered.set('by-hand', { redirect_uris: [`${server.url}/oauth/callback`], secret: 'secret-by-hand' });
    await ask('PUT', '/mcp/secrets/fresh-client', { value: 'secret-by-hand' });
    const { body } = await begin('fresh', { client_id: 'by-hand', client_secret: 'fresh-client' });
    expect((await fetch(await returnAddress(body['authorization_url']))).status).toBe(200);
    await stateOf('fresh', 'running');
    remote.expireTokens();
    expect((await call('fresh__read', 'renewed')).body).toMatchObject({ text: 'read renewed' });
    expect(file()).not.toContain('secret-by-hand');
  });
});

describe('addresses', () => {
  it('inside the house are not asked for anything unless an administrator allowed the server to lie there', async () => {
    const source = { kind: 'remote', url: remote.url };
    const planned = await ended((await ask('POST', '/mcp/import', { name: 'inside', source })).body['operation']);
    const plans = (await ask('GET', '/mcp/plans')).body['plans'] as unknown as Json[];
    const plan = plans.find((known) => known['plan_id'] === planned['result']?.['plan_id']) as Json;
    const approved = await ask('POST', `/mcp/plans/${plan['plan_id']}/approve`, { hash: plan['hash'] });
    expect(await ended(approved.body['operation'])).toMatchObject({ status: 'failed', error_code: 'forbidden' });
  });

  it('another origin gets neither a request nor a token', async () => {
    const elsewhere = await ProtectedMcp.start();
    await loggedIn('notes');
    remote.faults = { moved: elsewhere.url };
    await ask('POST', '/mcp/servers/notes/restart');
    expect((await call('notes__read')).body['status']).not.toBe('success');
    expect(elsewhere.seen).toEqual([]);
    await elsewhere.close();
  });
});

describe('venom mcp', () => {
  it('login prints the address and waits for the browser; logout gives it up', async () => {
    await ask('DELETE', '/mcp/servers/notes/authorize');
    let visited = false;
    const onNote = (text: string) => {
      const address = /http:\S+authorize\S+/.exec(text)?.[0];
      if (!address) return;
      visited = true;
      void returnAddress(address).then((back) => fetch(back));
    };
    const { out } = await commandLine(server, { onNote }).run('mcp', 'login', 'notes');
    expect(visited).toBe(true);
    expect(out).toContain('Logged in: notes can be used.');
    await stateOf('notes', 'running');
    expect((await commandLine(server).run('mcp', 'logout', 'notes')).out).toContain('Logged out of notes.');
    await stateOf('notes', 'needs_authorization');
  });
});

describe('a server that asks for a key', () => {
  it('lets a browser come back without one', async () => {
    const keyed = await startServer({ VENOM_API_KEY: 'administrator-key-0123456789' });
    try {
      const page = await fetch(`${keyed.url}/oauth/callback?state=unknown&code=x`);
      expect(page.status).toBe(400);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect((await fetch(`${keyed.url}/oauth/client.json`)).status).toBe(404);
      expect((await fetch(`${keyed.url}/api/v1/mcp/servers/notes/authorize`, { method: 'POST' })).status).toBe(401);
    } finally {
      await keyed.close();
    }
  });
});

describe('a server with a public address', () => {
  it('is known by its own document, and registers nowhere', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'venom-test-'));
    const before = server;
    server = await startServer({ VENOM_PUBLIC_URL: 'https://venom.example.org' }, dataDir);
    try {
      remote.faults = { metadata: { client_id_metadata_document_supported: true } };
      const known = remote.registered.size;
      await imported('notes');
      const { body } = await begin('notes');
      const asked = new URL(String(body['authorization_url'])).searchParams;
      expect(asked.get('client_id')).toBe('https://venom.example.org/oauth/client.json');
      expect(asked.get('redirect_uri')).toBe('https://venom.example.org/oauth/callback');
      expect(remote.registered.size).toBe(known);
      const document = (await (await fetch(`${server.url}/oauth/client.json`)).json()) as Json;
      expect(document).toMatchObject({
        client_id: 'https://venom.example.org/oauth/client.json',
        redirect_uris: ['https://venom.example.org/oauth/callback'],
        token_endpoint_auth_method: 'none',
      });
      expect((await fetch(`${before.url}/oauth/client.json`)).status).toBe(404);
    } finally {
      await server.close();
      server = before;
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
