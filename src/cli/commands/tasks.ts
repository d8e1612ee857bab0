// venom tasks list|show|abort|resume
import type { CommandContext } from '../command-context.js';
import { facts, table } from '../terminal.js';

const TITLE_CHARS = 60;
const STOP_MS = 30_000;

interface TaskItem {
  id: string;
  content: string;
  created_at: string;
  status: string;
  result: string | null;
  logs: string[];
  context_history: { llm_runtime?: { provider?: string; model?: string; error?: { error_message?: string } | null } };
}

export async function listTasks(context: CommandContext, { limit }: { limit: string }): Promise<void> {
  const client = await context.server();
  const tasks = await client.get<TaskItem[]>(`/api/v1/tasks?${new URLSearchParams({ limit })}`);
  const rows = tasks.map(({ id, created_at, status, content }) => [id, created_at, status, oneLine(content)]);
  context.terminal.result(
    { tasks, count: tasks.length },
    rows.length === 0 ? 'There are no tasks.' : table(['ID', 'CREATED', 'STATUS', 'QUESTION'], rows),
  );
}

export async function showTask(context: CommandContext, id: string): Promise<void> {
  const client = await context.server();
  const task = await client.get<TaskItem>(`/api/v1/tasks/${encodeURIComponent(id)}`);
  const runtime = task.context_history.llm_runtime;
  context.terminal.result(
    task,
    [
      facts([
        ['id', task.id],
        ['status', task.status],
        ['created', task.created_at],
        ['model', runtime?.model && `${runtime.provider}:${runtime.model}`],
        ['error', runtime?.error?.error_message],
        ['question', oneLine(task.content)],
      ]),
      task.logs.map((line) => `  ${line}`).join('\n'),
      task.result ?? '',
    ]
      .filter(Boolean)
      .join('\n\n'),
  );
}

export async function abortTask(context: CommandContext, id: string): Promise<void> {
  const client = await context.server();
  const answer = await client.post(`/api/v1/queue/task/${encodeURIComponent(id)}/abort`, {}, STOP_MS);
  context.terminal.result(answer, `${id} was stopped.`);
}

export async function resumeTask(context: CommandContext, id: string): Promise<void> {
  const client = await context.server();
  const answer = await client.post<{ status: string }>(`/api/v1/tasks/${encodeURIComponent(id)}/resume`, {}, STOP_MS);
  context.terminal.result(answer, `${id} is taken up again: ${answer.status}.`);
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, TITLE_CHARS);
