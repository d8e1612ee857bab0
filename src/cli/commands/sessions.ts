// venom sessions list, export, labels, release.
import { writeFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { SessionItem, SessionLabelState, SessionList } from '../../contract/sessions.js';
import type { CommandContext } from '../command-context.js';
import { facts, table } from '../terminal.js';

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

/** What keeps a session's texts with local models. */
export async function showLabels(context: CommandContext, id: string): Promise<void> {
  const client = await context.server();
  showLabelState(context, await client.get<SessionLabelState>(`/api/v1/sessions/${encodeURIComponent(id)}/labels`));
}

/** Takes labels off, all of them where none is named. The reason is kept beside the session's receipts. */
export async function releaseLabels(
  context: CommandContext,
  id: string,
  options: { reason: string; label?: string[] },
): Promise<void> {
  const client = await context.server();
  showLabelState(
    context,
    await client.post<SessionLabelState>(`/api/v1/sessions/${encodeURIComponent(id)}/labels/release`, {
      reason: options.reason,
      ...(options.label === undefined ? {} : { labels: options.label }),
    }),
  );
}

function showLabelState({ terminal }: CommandContext, state: SessionLabelState): void {
  const found = state.found_in.map(({ seq, labels }) => `message ${seq} (${labels.join(', ')})`);
  const lines = [
    facts([
      ['labels', state.labels.join(', ') || 'none'],
      ['found in', found.join(', ') || 'no message'],
    ]),
    ...state.releases.map(
      ({ labels, reason, released_at }) => `${released_at}  took off ${labels.join(', ')}: ${reason}`,
    ),
  ];
  if (found.length > 0)
    lines.push('What these messages hold stays local for as long as they are part of what is asked.');
  terminal.result(state, lines.join('\n'));
}
