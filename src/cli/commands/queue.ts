// venom queue status|pause|resume|purge|stop
import type { CommandContext } from '../command-context.js';
import { facts } from '../terminal.js';

const STOP_MS = 30_000;

interface QueueStatus {
  paused: boolean;
  pending: number;
  active: number;
  limit: number | null;
}

export async function queueStatus(context: CommandContext): Promise<void> {
  const status = await (await context.server()).get<QueueStatus>('/api/v1/queue/status');
  context.terminal.result(
    status,
    facts([
      ['state', status.paused ? 'paused' : 'running'],
      ['waiting', status.pending],
      ['running', status.active],
      ['at once', status.limit ?? 'no limit'],
    ]),
  );
}

export async function changeQueue(
  context: CommandContext,
  change: 'pause' | 'resume' | 'purge' | 'emergency-stop',
): Promise<void> {
  const answer = await (await context.server()).post<{ message: string }>(`/api/v1/queue/${change}`, {}, STOP_MS);
  context.terminal.result(answer, answer.message);
}
