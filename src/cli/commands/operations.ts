// venom operations list|follow|cancel|retry
import { AppError } from '../../shared/errors.js';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { followOperation, type Operation } from '../operation-progress.js';
import { table } from '../terminal.js';

/** Characters of an id in the table; enough to tell them apart, and a line stays within 80. */
const SHORT_ID = 8;
const FULL_ID = 36;
const LOOKED_AT = 500;

export async function listOperations(context: CommandContext, { limit }: { limit: number }): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ operations: Operation[] }>(
    `/api/v1/models/operations?${new URLSearchParams({ limit: String(limit) })}`,
  );
  const rows = answer.operations.map((operation) => [
    operation.operation_id.slice(0, SHORT_ID),
    operation.operation_type,
    operation.model_name,
    operation.status === 'in_progress' ? `${Math.round(operation.progress)} %` : operation.status,
    // The rest of it is told by `follow`.
    operation.error?.split('\n')[0] ?? '',
  ]);
  context.terminal.result(
    answer,
    rows.length === 0 ? 'Nothing happened yet.' : table(['ID', 'TYPE', 'MODEL', 'STATUS', ''], rows),
  );
}

/** The beginning of an id will do, as long as it is one operation's. @throws AppError `invalid_input`, `operation_not_found` */
async function fullId(client: ApiClient, id: string): Promise<string> {
  if (id.length >= FULL_ID) return id;
  const { operations } = await client.get<{ operations: Operation[] }>(`/api/v1/models/operations?limit=${LOOKED_AT}`);
  const found = id === '' ? [] : operations.filter(({ operation_id }) => operation_id.startsWith(id));
  if (found.length > 1)
    throw new AppError('invalid_input', `${found.length} operations begin with ${id}; give more of it.`);
  const [only] = found;
  if (!only) throw new AppError('operation_not_found', `There is no operation ${id}; see \`venom operations list\``);
  return only.operation_id;
}

export async function followOne(context: CommandContext, id: string): Promise<void> {
  const client = await context.server();
  const operation = await followOperation(client, context.terminal, await fullId(client, id));
  context.terminal.result(operation, `${operation.operation_type} of ${operation.model_name}: done.`);
}

export async function changeOperation(context: CommandContext, id: string, change: 'cancel' | 'retry'): Promise<void> {
  const client = await context.server();
  const full = await fullId(client, id);
  const answer = await client.post(`/api/v1/models/operations/${encodeURIComponent(full)}/${change}`, {});
  context.terminal.result(answer, change === 'cancel' ? `${id} is being cancelled.` : `${id} runs again.`);
}
