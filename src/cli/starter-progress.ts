// Shows in the terminal how far the download of the starter model is.
import { setTimeout as sleep } from 'node:timers/promises';
import cliProgress from 'cli-progress';
import type { z } from 'zod';
import type { StarterState } from '../contract/starter.js';
import type { ApiClient } from './api-client.js';
import { formatBytes, type Terminal } from './terminal.js';

export type Starter = z.infer<typeof StarterState>;

const POLL_MS = 200;

export const getStarter = (client: ApiClient): Promise<Starter> => client.get<Starter>('/api/v1/models/starter');

const isBusy = ({ state }: Starter): boolean => state === 'downloading' || state === 'verifying';

/** Waits until the starter model is installed or has failed. */
export async function followStarter(client: ApiClient, terminal: Terminal, first: Starter): Promise<Starter> {
  let starter = first;
  if (!isBusy(starter)) return starter;
  const bar = terminal.interactive ? new cliProgress.SingleBar(BAR, cliProgress.Presets.shades_classic) : undefined;
  if (bar === undefined) terminal.note(`Fetching ${starter.display_name} (${formatBytes(starter.size_bytes)}) …`);
  bar?.start(starter.size_bytes, starter.received_bytes, fields(starter));
  let tenth = 0;
  while (isBusy(starter)) {
    await sleep(POLL_MS);
    starter = await getStarter(client);
    bar?.update(starter.received_bytes, fields(starter));
    const reached = Math.floor((starter.received_bytes / starter.size_bytes) * 10);
    if (bar === undefined && reached > tenth)
      terminal.note(`  ${reached * 10} % of ${formatBytes(starter.size_bytes)}`);
    tenth = Math.max(tenth, reached);
  }
  bar?.stop();
  return starter;
}

export function describeStarter(starter: Starter): string {
  if (starter.state === 'installed') return `${starter.display_name} is installed.`;
  if (starter.state === 'off') return 'The starter model is switched off (VENOM_STARTER_MODEL=off).';
  const problem = starter.error?.message ?? `${starter.display_name} is not installed.`;
  return [problem, ...starter.hints.map((hint) => `  - ${hint}`)].join('\n');
}

const BAR = {
  format: '{name} |{bar}| {percentage} %  {received} of {size}  {speed}  {source}',
  hideCursor: true,
  clearOnComplete: false,
};

const fields = (starter: Starter) => ({
  name: starter.display_name,
  received: formatBytes(starter.received_bytes),
  size: formatBytes(starter.size_bytes),
  speed: starter.bytes_per_second === null ? '' : `${formatBytes(starter.bytes_per_second)}/s`,
  source: starter.state === 'verifying' ? 'checking …' : (starter.source ?? ''),
});
