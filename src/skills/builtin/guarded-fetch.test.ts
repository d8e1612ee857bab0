import type { lookup } from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../shared/public-address.js';
import { GuardedFetch, type GuardedFetchOptions } from './guarded-fetch.js';
import { pageText } from './page-text.js';

let server: Server;
let port: number;
let asked = 0;
const fetchers: GuardedFetch[] = [];
const signal = new AbortController().signal;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked += 1;
    if (request.url === '/to-metadata') response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    else if (request.url === '/to-file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else if (request.url === '/bomb')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5_000_000)));
    else if (request.url === '/hangs') response.writeHead(200).write('x');
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello</p>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()));
  asked = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function fetcher(options: Partial<GuardedFetchOptions> = {}) {
  const made = new GuardedFetch({
    privateHosts: [],
    timeoutMs: 2_000,
    maxBytes: 100_000,
    userAgent: 'test',
    ...options,
  });
  fetchers.push(made);
  return made;
}

/** A name server that answers each question with the next of these. */
const answers = (...addresses: string[]) =>
  ((_host: string, _options: object, done: (error: null, found: { address: string; family: number }[]) => void) =>
    done(null, [{ address: addresses.shift() ?? '127.0.0.1', family: 4 }])) as unknown as typeof lookup;

describe('isPublicAddress', () => {
  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::7f00:1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'fd00::1',
    'ff02::1',
    'localhost',
    '',
  ])('keeps %s in the house', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700:4700::1111', '2606:4700::1111', '::ffff:1.1.1.1'])(
    'lets %s through',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
});

describe('GuardedFetch', () => {
  it.each([
    'http://127.0.0.1',
    'http://localhost',
    'http://2130706433',
    'http://0x7f000001',
    'http://0177.0.0.1',
    'http://127.1',
    'http://0',
    'http://[::1]',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:7f00:1]',
  ])('does not ask %s', async (host) => {
    await expect(fetcher().get(`${host}:${port}/`, signal)).rejects.toMatchObject({ code: 'forbidden' });
    expect(asked).toBe(0);
  });

  it('does not connect to a name that stands for an address in the house', async () => {
    const guarded = fetcher({ lookup: answers('127.0.0.1') });
    await expect(guarded.get(`http://innocent.example:${port}/`, signal)).rejects.toMatchObject({ code: 'forbidden' });
    expect(asked).toBe(0);
  });

  it('looks at each redirect anew', async () => {
    const guarded = fetcher({ privateHosts: [`127.0.0.1:${port}`] });
    await expect(guarded.get(`http://127.0.0.1:${port}/to-metadata`, signal)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(guarded.get(`http://127.0.0.1:${port}/to-file`, signal)).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await expect(guarded.get(`http://127.0.0.1:${port}/loop`, signal)).rejects.toMatchObject({
      code: 'upstream_redirect',
    });
  });

  it('reads a host in the house that the settings name', async () => {
    const page = await fetcher({ privateHosts: ['127.0.0.1'] }).get(`http://127.0.0.1:${port}/`, signal);
    expect(page).toMatchObject({ status: 200, contentType: 'text/html' });
    expect(page.body.toString()).toBe('<p>Hello</p>');
  });

  it('ends a page that is too large once unpacked, one that does not end, and a call that is stopped', async () => {
    const guarded = fetcher({ privateHosts: ['127.0.0.1'], timeoutMs: 300 });
    await expect(guarded.get(`http://127.0.0.1:${port}/bomb`, signal)).rejects.toMatchObject({
      code: 'upstream_rejected',
    });
    await expect(guarded.get(`http://127.0.0.1:${port}/hangs`, signal)).rejects.toMatchObject({
      code: 'upstream_timeout',
    });
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(guarded.get(`http://127.0.0.1:${port}/`, stopped)).rejects.toThrow('stopped');
  });

  it.each(['ftp://example.org', 'javascript:alert(1)', 'http://user:pw@example.org', 'nonsense'])(
    'does not take %s for an address',
    async (address) => {
      await expect(fetcher().get(address, signal)).rejects.toMatchObject({ code: 'invalid_input' });
    },
  );
});

describe('pageText', () => {
  it('gives what a reader sees', () => {
    const html =
      '<html><head><title>A  title</title><style>p{}</style></head><body><script>evil()</script><h1>Head</h1><p>One<br>two <b>bold</b></p><div hidden>hidden<img>still</div><p>End</body>';
    expect(pageText(html)).toEqual({ title: 'A title', text: 'Head\nOne\ntwo bold\nEnd' });
  });
});
