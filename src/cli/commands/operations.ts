// venom operations list|follow|cancel|retry
import type { CommandContext } from '../command-context.js';
import { followOperation, type Operation } from '../operation-progress.js';
import { table } from '../terminal.js';

export async function listOperations(context: CommandContext, { limit }: { limit: string }): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ operations: Operation[] }>(
    `/api/v1/models/operations?${new URLSearchParams({ limit })}`,
  );
  const rows = answer.operations.map((operation) => [
    operation.operation_id,
    operation.operation_type,
    operation.model_name,
    operation.status,
    `${Math.round(operation.progress)} %`,
    operation.error ?? '',
  ]);
  context.terminal.result(
    answer,
    rows.length === 0 ? 'Nothing happened yet.' : table(['ID', 'TYPE', 'MODEL', 'STATUS', '', ''], rows),
  );
}

export async function followOne(context: CommandContext, id: string): Promise<void> {
  const operation = await followOperation(await context.server(), context.terminal, id);
  context.terminal.result(operation, `${operation.operation_type} of ${operation.model_name}: done.`);
}

export async function changeOperation(context: CommandContext, id: string, change: 'cancel' | 'retry'): Promise<void> {
  const client = await context.server();
  const answer = await client.post(`/api/v1/models/operations/${encodeURIComponent(id)}/${change}`, {});
  context.terminal.result(answer, change === 'cancel' ? `${id} is being cancelled.` : `${id} runs again.`);
}
