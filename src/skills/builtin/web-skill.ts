// The open internet, for reading: one page, or the hits of the search service that the settings name.
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { BaseSkill, skillFunction } from '../base-skill.js';
import type { GuardedFetch } from './guarded-fetch.js';
import { pageText } from './page-text.js';

const SEARCH_TIMEOUT_MS = 15_000;
const MAX_SEARCH_BYTES = 2_097_152;
const MAX_SNIPPET_CHARS = 500;

/** As SearXNG answers; only what is read. */
const SearchAnswer = z.object({
  results: z.array(z.object({ title: z.string().nullish(), url: z.string(), content: z.string().nullish() })),
});

export class WebSkill extends BaseSkill {
  readonly id = 'web';
  readonly description = 'Reads pages of the open internet and searches it.';
  readonly functions;

  /** @param searchEndpoint  a SearXNG instance; without one there is no search */
  constructor(fetcher: GuardedFetch, searchEndpoint: string) {
    super();
    const scrape = skillFunction({
      name: 'scrape_text',
      description: 'Fetches a web page (url) from the internet and gives its text.',
      input: z.object({ url: z.string().min(1).max(4_096) }),
      readOnly: true,
      egress: true,
      run: async ({ url }, { signal }) => {
        const page = await fetcher.get(url, signal);
        if (page.status >= 400) throw new AppError('upstream_rejected', `${url} answered ${page.status}.`);
        const { title, text } = readable(page.contentType, page.body);
        return {
          text: `${title ? `${title}\n` : ''}${page.url}\n\n${text}`,
          structured: { url: page.url, title, status: page.status, content_type: page.contentType },
          untrusted: true,
        };
      },
    });
    const search = skillFunction({
      name: 'search',
      description: 'Searches the web (internet) and gives titles, addresses and snippets.',
      input: z.object({
        query: z.string().trim().min(1).max(1_000),
        max_results: z.int().min(1).max(20).default(5),
      }),
      readOnly: true,
      egress: true,
      run: async ({ query, max_results }, { signal }) => {
        const hits = (await searched(searchEndpoint, query, signal)).slice(0, max_results);
        return {
          text:
            hits.map(({ title, url, snippet }) => `${title}\n${url}\n${snippet}`).join('\n\n') || 'Nothing was found.',
          structured: { hits },
          untrusted: true,
        };
      },
    });
    this.functions = searchEndpoint ? [scrape, search] : [scrape];
  }
}

/** @throws AppError `invalid_input` for what is no text */
function readable(contentType: string, body: Buffer): { title: string; text: string } {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const text = decoded(contentType, body);
  if (type === 'text/html' || type === 'application/xhtml+xml') return pageText(text);
  if (type.startsWith('text/') || /(^|[/+])(json|xml)$/.test(type) || type === '') return { title: '', text };
  throw new AppError('invalid_input', `The address gives ${type}, which is no text.`);
}

function decoded(contentType: string, body: Buffer): string {
  const charset = /charset="?([\w-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString('utf8');
  }
}

/** The endpoint comes from the settings alone, so it may lie in the house. */
async function searched(endpoint: string, query: string, signal: AbortSignal) {
  const url = new URL(endpoint.includes('/search') ? endpoint : `${endpoint}/search`);
  url.searchParams.set('q', query);
  url.searchParams.set('format', 'json');
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(SEARCH_TIMEOUT_MS)]);
  try {
    const response = await fetch(url, { signal: bounded, redirect: 'error' });
    if (!response.ok) throw new AppError('upstream_rejected', `The search service answered ${response.status}.`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > MAX_SEARCH_BYTES) throw new AppError('upstream_protocol', 'The search service sent too much.');
      chunks.push(chunk);
    }
    const answer = SearchAnswer.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    return answer.results.map(({ title, url: address, content }) => ({
      title: (title ?? '').slice(0, MAX_SNIPPET_CHARS),
      url: address,
      snippet: (content ?? '').slice(0, MAX_SNIPPET_CHARS),
    }));
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof AppError) throw thrown;
    throw new AppError('upstream_unreachable', 'The search service gave no usable answer.', { cause: thrown });
  }
}
