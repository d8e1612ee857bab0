// venom sessions list, export.
import { writeFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { SessionItem, SessionList } from '../../contract/sessions.js';
import type { CommandContext } from '../command-context.js';
import { table } from '../terminal.js';

export async function listSessions(
  context: CommandContext,
  options: { limit: string; search?: string },
): Promise<void> {
  const client = await context.server();
  const query = new URLSearchParams({ limit: options.limit, q: options.search ?? '' });
  const page = await client.get<z.output<typeof SessionList>>(`/api/v1/sessions?${query}`);
  const rows = page.sessions.map((session: SessionItem) => [
    session.session_id,
    session.updated_at,
    String(session.message_count),
    session.title,
  ]);
  context.terminal.result(
    page,
    page.sessions.length === 0 ? 'There are no sessions.' : table(['ID', 'UPDATED', 'MESSAGES', 'TITLE'], rows),
  );
}

/** With --json the export is JSON as well, whatever `format` says. */
export async function exportSession(
  context: CommandContext,
  id: string,
  options: { format: string; output?: string },
): Promise<void> {
  const { terminal } = context;
  const client = await context.server();
  const format = terminal.json ? 'json' : options.format;
  const response = await client.request(
    `/api/v1/sessions/${encodeURIComponent(id)}/export?${new URLSearchParams({ format })}`,
    {},
    60_000,
  );
  const text = await response.text();
  if (options.output === undefined) return terminal.write(text);
  await writeFile(options.output, text, { mode: 0o600 });
  terminal.result({ session_id: id, format, path: options.output }, `Wrote ${options.output}`);
}
