import { describe, expect, it } from 'vitest';
import { follow } from './follow.js';

const NAMES: Record<string, string[]> = {
  'models.example': ['93.184.216.34'],
  'files.example': ['151.101.1.6'],
  'inside.example': ['10.0.0.7'],
  'half.example': ['93.184.216.34', '127.0.0.1'],
  'mirror.house': ['192.168.1.5'],
};
const resolve = async (host: string) =>
  /^[\d.]+$|:/.test(host) ? [{ address: host }] : (NAMES[host] ?? []).map((address) => ({ address }));

/** Sends each of its addresses to the next one. */
function chain(...addresses: string[]) {
  const asked: { url: string; authorization: string | null }[] = [];
  const fetch = (async (input: URL, init: RequestInit) => {
    asked.push({ url: String(input), authorization: new Headers(init.headers).get('authorization') });
    const next = addresses[asked.length];
    return next === undefined
      ? new Response('the file')
      : new Response(null, { status: 302, headers: { location: next } });
  }) as unknown as typeof globalThis.fetch;
  const ask = () =>
    follow({ url: addresses[0] ?? '', token: 'secret', fetch, resolve }, {}, AbortSignal.timeout(5_000));
  return { asked, ask };
}

describe('follow', () => {
  it('goes where a public source points, and keeps the token at home', async () => {
    const { asked, ask } = chain('https://models.example/a', 'https://models.example/b', 'https://files.example/c');
    expect(await (await ask()).text()).toBe('the file');
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer secret', 'Bearer secret', null]);
  });

  it.each([
    'https://inside.example/',
    'https://half.example/',
    'https://127.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::a9fe:a9fe]/',
  ])('does not follow a public source to %s', async (address) => {
    const { asked, ask } = chain('https://models.example/a', address);
    await expect(ask()).rejects.toMatchObject({ code: 'source_unavailable' });
    expect(asked).toHaveLength(1);
  });

  it('follows a mirror in the house within the house', async () => {
    const { ask } = chain('http://mirror.house/a', 'http://inside.example/b');
    expect(await (await ask()).text()).toBe('the file');
  });

  it.each([
    ['http://files.example/c', 'from https to http'],
    ['file:///etc/passwd', 'to a file'],
    ['https://models.example/a', 'without end'],
  ])('refuses to be sent to %s, %s', async (address) => {
    const { ask } = chain('https://models.example/a', ...Array.from({ length: 9 }, () => address));
    await expect(ask()).rejects.toMatchObject({ code: 'source_unavailable' });
  });
});
