// venom providers list, venom providers key set|remove. A key comes from a prompt or a pipe, never from the arguments.
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';
import { table } from '../terminal.js';

interface Providers {
  providers: {
    name: string;
    type: string;
    endpoint: string | null;
    configured: boolean;
    key_source: string | null;
    connection_status: string;
    active: boolean;
  }[];
}

interface KeyAnswer {
  message: string;
}

export async function listProviders(context: CommandContext): Promise<void> {
  const answer = await (await context.server()).get<Providers>('/api/v1/providers');
  const rows = answer.providers.map((provider) => [
    `${provider.active ? '*' : ' '} ${provider.name}`,
    provider.type === 'cloud_provider' ? 'cloud' : 'local',
    provider.connection_status,
    provider.key_source === null ? '' : `key from ${provider.key_source}`,
    provider.endpoint ?? '',
  ]);
  context.terminal.result(answer, table(['  NAME', 'WHERE', 'STATE', 'KEY', 'ADDRESS'], rows));
}

export async function setProviderKey(context: CommandContext, provider: string): Promise<void> {
  const client = await context.server();
  const key = await context.input.secret(`Key of ${provider}: `);
  if (key === '') throw new AppError('invalid_input', 'No key came in; type it, or put it into a pipe.');
  const answer = await client.put<KeyAnswer>(`/api/v1/providers/${encodeURIComponent(provider)}/key`, { key });
  context.terminal.result(answer, answer.message);
}

export async function removeProviderKey(context: CommandContext, provider: string): Promise<void> {
  const client = await context.server();
  const answer = await client.delete<KeyAnswer>(`/api/v1/providers/${encodeURIComponent(provider)}/key`);
  context.terminal.result(answer, answer.message);
}
