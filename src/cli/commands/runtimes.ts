// venom runtimes list|health|use|start|stop|restart|logs
import type { z } from 'zod';
import type { LlmServer } from '../../contract/llm-servers.js';
import { AppError } from '../../shared/errors.js';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { table } from '../terminal.js';

const SWITCH_MS = 120_000;
const ACTION_MS = 310_000;

export async function listRuntimes(context: CommandContext): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ servers: z.output<typeof LlmServer>[] }>('/api/v1/system/llm-servers');
  const rows = answer.servers.flatMap(
    ({ active, name, status, health, endpoint, ownership, error_message, members }) => [
      [
        active ? '*' : '',
        name,
        health ?? status,
        members ? `${members.length} servers` : (endpoint ?? 'inside'),
        ownership === 'none' ? '' : ownership,
        error_message ?? '',
      ],
      ...(members ?? []).map((member) => [
        '',
        '',
        member.state,
        member.endpoint,
        `${member.in_flight} running`,
        member.excluded_until ? `until ${member.excluded_until}: ${member.last_error ?? ''}` : '',
      ]),
    ],
  );
  context.terminal.result(answer, table(['', 'NAME', 'STATUS', 'ADDRESS', '', ''], rows));
}

/** @throws AppError `provider_unavailable` when the active engine does not answer */
export async function runtimesHealth(context: CommandContext): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ servers: z.output<typeof LlmServer>[] }>('/api/v1/system/llm-servers');
  const rows = answer.servers.map(({ active, name, status, health, latency_ms, error_message }) => [
    active ? '*' : '',
    name,
    health ?? status,
    latency_ms == null ? '' : `${latency_ms} ms`,
    error_message ?? '',
  ]);
  context.terminal.result(answer, table(['', 'NAME', 'HEALTH', 'TOOK', ''], rows));
  const down = answer.servers.find(({ active, status, health }) => active && (health ?? status) === 'offline');
  if (down) throw new AppError('provider_unavailable', `${down.name} does not answer; see \`venom doctor\``);
}

/** @throws AppError `not_found` with what to do next */
async function known(client: ApiClient, name: string): Promise<z.output<typeof LlmServer>> {
  const { servers } = await client.get<{ servers: z.output<typeof LlmServer>[] }>('/api/v1/system/llm-servers');
  const found = servers.find((server) => server.name === name);
  if (!found) throw new AppError('not_found', `No engine is called ${name}; see \`venom runtimes list\``);
  return found;
}

const CLOUDS: ReadonlySet<string> = new Set(['openai', 'google', 'cloud-compatible']);

export async function useRuntime(context: CommandContext, name: string, { model }: { model?: string }): Promise<void> {
  const client = await context.server();
  // A cloud is no server to be switched to, only somebody else who is asked.
  const answer = await client.post<{ active_server: string; active_model: string }>(
    CLOUDS.has(name) ? '/api/v1/system/llm-runtime/active' : '/api/v1/system/llm-servers/active',
    CLOUDS.has(name)
      ? { provider: name, ...(model ? { model } : {}) }
      : { server_name: name, ...(model ? { model, exact_only: true } : {}) },
    SWITCH_MS,
  );
  context.terminal.result(answer, `${answer.active_server} answers with ${answer.active_model}.`);
}

export async function runtimeAction(context: CommandContext, name: string, action: string): Promise<void> {
  const client = await context.server();
  const server = await known(client, name);
  if (server.capabilities.is_in_process)
    throw new AppError('unsupported', `${name} is a part of Venom: it starts and stops with it.`);
  const answer = await client.post<{ status: string; message: string }>(
    `/api/v1/system/llm-servers/${encodeURIComponent(name)}/${action}`,
    {},
    ACTION_MS,
  );
  if (answer.status !== 'success') throw new AppError('conflict', answer.message);
  context.terminal.result(answer, answer.message);
}

export async function runtimeLogs(context: CommandContext, name: string): Promise<void> {
  const client = await context.server();
  const server = await known(client, name);
  if (server.capabilities.is_in_process)
    throw new AppError('unsupported', `${name} is a part of Venom and writes into its log: see \`venom logs\``);
  const answer = await client.get<{ text: string }>(`/api/v1/system/llm-servers/${encodeURIComponent(name)}/logs`);
  const none =
    'Venom holds no log of it: it has not been started here. Where it was started, its own log is kept there.';
  if (answer.text === '') context.terminal.note(none);
  context.terminal.result(answer, answer.text.trimEnd());
}
