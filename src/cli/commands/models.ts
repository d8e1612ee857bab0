// venom models list, venom models install starter.
import { resolve } from 'node:path';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';
import { describeStarter, followStarter, type Starter } from '../starter-progress.js';
import { formatBytes, table } from '../terminal.js';

interface ModelItem {
  name: string;
  provider: string;
  size_gb: number | null;
  quantization: string | null;
  active: boolean;
}

export async function listModels(context: CommandContext): Promise<void> {
  const client = await context.server();
  const { models } = await client.get<{ models: ModelItem[] }>('/api/v1/models');
  const rows = models.map(({ name, provider, size_gb, quantization, active }) => [
    active ? '*' : '',
    name,
    provider,
    size_gb === null ? '' : formatBytes(size_gb * 1_073_741_824),
    quantization === null || quantization === 'unknown' ? '' : quantization,
  ]);
  const none = 'No model is installed; `venom models install starter` fetches a small one.';
  context.terminal.result(
    { models },
    models.length === 0 ? none : table(['', 'NAME', 'PROVIDER', 'SIZE', 'QUANTIZATION'], rows),
  );
}

/** @throws AppError with the reason and the hints when no source could deliver */
export async function installStarter(context: CommandContext, options: { path?: string }): Promise<void> {
  const client = await context.server();
  const body = options.path === undefined ? {} : { path: resolve(options.path) };
  const first = await client.post<Starter>('/api/v1/models/starter/install', body);
  const starter = await followStarter(client, context.terminal, first);
  if (starter.state !== 'installed') throw new AppError('download_failed', describeStarter(starter));
  context.terminal.result(starter, describeStarter(starter));
}
