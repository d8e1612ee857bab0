import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryGrants } from '../../../test/stand-ins/memory-grants.js';
import { ProtectedMcp } from '../../../test/stand-ins/protected-mcp.js';
import { documentFetch, isConfidential } from './guarded-fetch.js';
import { RemoteAuthorizations } from './remote-authorizations.js';
import type { RemoteLaunch } from './server-definition.js';

let remote: ProtectedMcp;
let grants: MemoryGrants;
let authorizations: RemoteAuthorizations;
let now: number;
/** As it lies on disk. */
let begun: string;

const launch = (more: Partial<RemoteLaunch> = {}): RemoteLaunch => ({
  kind: 'http',
  url: remote.url,
  headers: {},
  secrets: {},
  allowPrivate: true,
  ...more,
});

beforeAll(async () => {
  remote = await ProtectedMcp.start();
});
afterAll(() => remote.close());
beforeEach(() => {
  remote.faults = {};
  now = 1_000_000;
  grants = new MemoryGrants();
  begun = '[]';
  authorizations = started();
});

/** As after a start of the process. */
const started = () =>
  new RemoteAuthorizations({
    grants,
    logins: {
      load: () => JSON.parse(begun),
      save: (logins) => {
        begun = JSON.stringify(logins);
      },
    },
    secrets: { names: () => [], get: () => undefined, set: () => {}, delete: () => {} },
    redirect: () => ({ url: 'http://127.0.0.1:8000/oauth/callback', clientMetadataUrl: undefined }),
    now: () => now,
  });

/** What the browser brings back. */
async function returned(): Promise<URLSearchParams> {
  const { authorizationUrl } = await authorizations.begin('notes', launch(), {});
  const answer = await fetch(authorizationUrl, { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? '').searchParams;
}

/** A request with the token there is, and its refusal. */
async function unauthorized(): Promise<void> {
  const provider = authorizations.provider('notes', launch());
  await provider.token();
  await provider.onUnauthorized?.({
    response: new Response(null, { status: 401 }),
    serverUrl: new URL(remote.url),
    fetchFn: fetch,
  });
}

describe('a login', () => {
  it('that takes longer than ten minutes has to be begun anew', async () => {
    const late = await returned();
    now += 600_000;
    await expect(authorizations.complete(late)).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
    const soon = await returned();
    now += 599_999;
    expect(await authorizations.complete(soon)).toBe('notes');
  });

  it('goes on after a restart, once, and with what lies on disk alone nobody can finish it', async () => {
    const parameters = await returned();
    expect(begun).not.toContain(parameters.get('state'));
    authorizations = started();
    expect(await authorizations.complete(parameters)).toBe('notes');
    expect(begun).toBe('[]');
    await expect(started().complete(parameters)).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
  });

  it('that was cut while its code was exchanged is not good a second time', async () => {
    const parameters = await returned();
    let after: RemoteAuthorizations | undefined;
    remote.faults = {
      beforeToken: async () => {
        // The process is killed here; another one reads what is on disk.
        after = started();
      },
    };
    await authorizations.complete(parameters);
    remote.faults = {};
    await expect(after?.complete(parameters)).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
  });

  it('that was begun too long before a restart, or given up, has to be begun anew', async () => {
    const late = await returned();
    now += 600_000;
    authorizations = started();
    expect(begun).toBe('[]');
    await expect(authorizations.complete(late)).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
    const given = await returned();
    await authorizations.logOut('notes');
    await expect(started().complete(given)).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
  });

  it('that is given up while its code is exchanged leaves no token', async () => {
    const parameters = await returned();
    remote.faults = { beforeToken: () => authorizations.logOut('notes') };
    await expect(authorizations.complete(parameters)).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
    expect(grants.of('notes').map(({ tokens }) => tokens)).toEqual([null]);
  });

  it('whose tokens are of a kind we cannot show is refused', async () => {
    const parameters = await returned();
    remote.faults = { token: { status: 200, body: { access_token: 'a', token_type: 'mac' } } };
    await expect(authorizations.complete(parameters)).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
  });

  it('has a bound in number', async () => {
    for (let index = 0; index < 50; index += 1) await authorizations.begin(`notes-${index}`, launch(), {});
    await expect(authorizations.begin('one-more', launch(), {})).rejects.toMatchObject({ code: 'queue_full' });
  });

  it('is not offered to a server that is sent a secret, nor over a line that others can read', async () => {
    const secret = launch({ secrets: { Authorization: 'key' } });
    await expect(authorizations.begin('notes', secret, {})).rejects.toMatchObject({ code: 'conflict' });
    const plain = launch({ url: 'http://192.0.2.1/mcp' });
    await expect(authorizations.begin('notes', plain, {})).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('does not register us a second time', async () => {
    const before = remote.registered.size;
    await returned();
    await returned();
    expect(remote.registered.size).toBe(before + 1);
  });
});

describe('a renewal', () => {
  it('that a logout overtakes does not bring the login back', async () => {
    await authorizations.complete(await returned());
    const before = remote.refreshes;
    // Not told to the authorization server, which would refuse the renewal by itself.
    remote.faults = {
      beforeToken: async () => grants.put({ ...grants.of('notes')[0], tokens: null, needed: true } as never),
    };
    await expect(unauthorized()).rejects.toMatchObject({ code: 'mcp_authorization_required' });
    expect(remote.refreshes).toBe(before + 1);
    expect(grants.of('notes').map(({ tokens, needed }) => ({ tokens, needed }))).toEqual([
      { tokens: null, needed: true },
    ]);
  });

  it('that is refused for good forgets the token; one that fails for a while does not', async () => {
    await authorizations.complete(await returned());
    remote.faults = { token: { status: 500, body: 'no JSON' } };
    await expect(unauthorized()).rejects.toMatchObject({ code: 'mcp_authorization_failed' });
    expect(authorizations.status('notes', remote.url)).toMatchObject({ state: 'granted' });
    remote.faults = { token: { status: 400, body: { error: 'invalid_grant' } } };
    await expect(unauthorized()).rejects.toMatchObject({ code: 'mcp_authorization_required' });
    expect(authorizations.status('notes', remote.url)).toMatchObject({ state: 'needed' });
  });
});

describe('what is asked of an authorization server', () => {
  it.each([
    ['https://as.example/token', false, true],
    ['http://127.0.0.1:9/token', true, true],
    ['http://127.0.0.1:9/token', false, false],
    ['http://[::1]:9/token', true, true],
    ['http://127.0.0.1.evil.example/token', true, false],
    ['http://192.168.1.1/token', true, false],
    ['https://user:word@as.example/', true, false],
    ['javascript:alert(1)', true, false],
  ])('%s, private addresses allowed: %s, may be asked: %s', (address, allowPrivate, expected) => {
    expect(isConfidential(new URL(address), allowPrivate)).toBe(expected);
  });

  it('is bounded in length and does not wander', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/long') response.end('x'.repeat(300_000));
      else response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { fetch: ask, close } = documentFetch({ allowPrivate: true });
    await expect(ask(`${origin}/long`)).rejects.toMatchObject({ code: 'upstream_protocol' });
    await expect(ask(`${origin}/moved`)).rejects.toThrow();
    await expect(ask('http://192.168.1.1/')).rejects.toMatchObject({ code: 'forbidden' });
    await close();
    server.close();
  });
});
