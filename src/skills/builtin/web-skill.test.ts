import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skillContext } from '../../../test/stand-ins/skill-context.js';
import { GuardedFetch } from './guarded-fetch.js';
import { WebSkill } from './web-skill.js';

let server: Server;
let url: string;
let fetcher: GuardedFetch;
let asked: string | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked = request.url;
    if (request.url?.startsWith('/search')) {
      const results = [
        { title: 'One', url: 'https://one.example', content: 'first' },
        { title: 'Two', url: 'https://two.example' },
      ];
      response.end(request.url.includes('broken') ? '<html>' : JSON.stringify({ results }));
    } else if (request.url === '/page') response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Text</p>');
    else if (request.url === '/image') response.writeHead(200, { 'content-type': 'image/png' }).end('x');
    else response.writeHead(404).end('no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  fetcher = new GuardedFetch({ privateHosts: ['127.0.0.1'], timeoutMs: 2_000, maxBytes: 10_000, userAgent: 'test' });
});
afterAll(async () => {
  await fetcher.close();
  server.closeAllConnections();
  server.close();
});

// No file is touched.
const context = skillContext(undefined as never);

describe('WebSkill', () => {
  it('gives a page’s text as a stranger’s, and a code for what is none', async () => {
    const skill = new WebSkill(fetcher, '');
    expect(await skill.invoke('scrape_text', { url: `${url}/page` }, context)).toMatchObject({
      text: `${url}/page\n\nText`,
      untrusted: true,
    });
    await expect(skill.invoke('scrape_text', { url: `${url}/nope` }, context)).rejects.toMatchObject({
      code: 'upstream_rejected',
    });
    await expect(skill.invoke('scrape_text', { url: `${url}/image` }, context)).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  it('searches where the settings say, and has no search without', async () => {
    const skill = new WebSkill(fetcher, url);
    const found = await skill.invoke('search', { query: 'a & b', max_results: 1 }, context);
    expect(found).toMatchObject({
      structured: { hits: [{ title: 'One', url: 'https://one.example', snippet: 'first' }] },
      untrusted: true,
    });
    expect(asked).toBe('/search?q=a+%26+b&format=json');
    await expect(skill.invoke('search', { query: 'broken' }, context)).rejects.toMatchObject({
      code: 'upstream_unreachable',
    });
    await expect(new WebSkill(fetcher, '').invoke('search', { query: 'x' }, context)).rejects.toMatchObject({
      code: 'tool_not_found',
    });
  });

  it('asks before anything leaves', () => {
    expect(new WebSkill(fetcher, url).descriptors().map(({ egress, permission }) => [egress, permission])).toEqual([
      [true, 'ask'],
      [true, 'ask'],
    ]);
  });
});
