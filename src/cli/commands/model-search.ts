// venom models search: what could be installed, from every catalogue, and whether it would run here.
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import type * as Contract from '../../contract/discover.js';
import { AppError } from '../../shared/errors.js';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { formatBytes, table } from '../terminal.js';

type Page = z.output<typeof Contract.DiscoverPage>;
type Model = Page['models'][number];

export interface SearchOptions {
  provider?: string;
  fits?: boolean;
  license?: string;
  ability?: string;
  maxGb?: number;
  sort?: string;
  limit: number;
}

const SEARCH_MS = 30_000;
const LEAST_SEARCHED = 2;
/** Places that are slow are waited for, unlike by a page: a command answers once. */
const STRAGGLERS_MS = 8_000;
const BETWEEN_MS = 400;

export async function searchModels(context: CommandContext, words: string[], options: SearchOptions): Promise<void> {
  const query = words.join(' ').trim();
  if (words.length > 0 && query.length < LEAST_SEARCHED)
    throw new AppError('invalid_input', `Search for at least ${LEAST_SEARCHED} letters.`);
  const client = await context.server();
  const parameters = new URLSearchParams({ query, limit: String(options.limit) });
  if (options.provider !== undefined) parameters.set('source', options.provider);
  if (options.fits) parameters.set('fits', 'true');
  if (options.license !== undefined) parameters.set('licence', options.license);
  if (options.ability !== undefined) parameters.set('ability', options.ability);
  if (options.maxGb !== undefined) parameters.set('max_gb', String(options.maxGb));
  if (options.sort !== undefined) parameters.set('sort', options.sort);
  const page = await whole(client, `/api/v1/models/discover?${parameters}`);
  const silent = page.sources.filter(({ state }) => state !== 'fresh');
  const error =
    silent.map(({ provider, error: why }) => why ?? `${provider} did not answer in time.`).join(' ') || null;
  if (error !== null && page.models.length === 0) throw new AppError('source_unavailable', error);
  context.terminal.result(
    { ...page, error },
    page.models.length === 0
      ? 'Nothing found.'
      : table(['NAME', 'FITS', 'SIZE', 'LICENCE', 'RUNS IN', 'DOWNLOADS', ''], page.models.map(row)),
  );
  if (page.models.some(isEstimate))
    context.terminal.note('~ is an estimate; `venom models fit NAME` reads the header.');
  if (page.total > page.count) context.terminal.note(`${page.count} of ${page.total}; more with -n.`);
  if (error !== null) context.terminal.note(error);
}

async function whole(client: ApiClient, path: string): Promise<Page> {
  const until = Date.now() + STRAGGLERS_MS;
  for (;;) {
    const page = await client.get<Page>(path, SEARCH_MS);
    if (Date.now() > until || page.sources.every(({ state }) => state !== 'pending')) return page;
    await pause(BETWEEN_MS);
  }
}

const isEstimate = ({ fit, size_is_estimate }: Model): boolean =>
  size_is_estimate || (fit.basis === 'listing' && fit.verdict !== 'unknown');

const WORDS: Readonly<Record<Model['fit']['verdict'], string>> = {
  good: 'yes',
  slow: 'slowly',
  tight: 'tight',
  no: 'no',
  unknown: '?',
};
const WHY: Readonly<Record<NonNullable<Model['fit']['reason']>, string>> = {
  size_unknown: '?',
  needs_gpu: 'needs a GPU',
  elsewhere: 'other machine',
  unreadable: '?',
  unusable: 'damaged',
};

function row(model: Model): string[] {
  const { fit, size_bytes, size_is_estimate } = model;
  const about = fit.basis === 'listing' && fit.verdict !== 'unknown' ? '~' : '';
  return [
    model.model_name,
    fit.reason === null ? `${about}${WORDS[fit.verdict]}` : WHY[fit.reason],
    size_bytes === null ? '' : `${size_is_estimate ? '~' : ''}${formatBytes(size_bytes)}`,
    model.licence ?? '',
    model.runtime,
    model.downloads === null ? '' : String(model.downloads),
    [model.installed ? 'installed' : '', model.gated ? 'gated' : ''].filter(Boolean).join(' '),
  ];
}
