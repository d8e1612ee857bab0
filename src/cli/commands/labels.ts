// venom labels, venom sessions labels|release: what keeps a session with local models, and how that is taken off.
import type { SessionLabelState } from '../../contract/sessions.js';
import type { CommandContext } from '../command-context.js';
import { facts } from '../terminal.js';

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
