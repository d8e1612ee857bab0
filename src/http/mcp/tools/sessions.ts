// sessions_*: what was said.
import type { McpServer } from '@modelcontextprotocol/server';
import type { SessionStore } from '../../../chat/sessions/session-store.js';
import * as contract from '../../../contract/mcp-tools.js';
import { toMessageItem, toSessionItem } from '../../routes/sessions.js';
import { answering, type ToolCaller } from '../tool-result.js';

const LOOKS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

export function sessionTools(
  server: McpServer,
  { sessions, ...caller }: { sessions: SessionStore } & ToolCaller,
): void {
  server.registerTool(
    'sessions_list',
    {
      title: 'Chat sessions',
      description: 'Sessions, the last used first; with a query those that hold its text.',
      inputSchema: contract.SessionsListInput,
      outputSchema: contract.SessionsListResult,
      annotations: LOOKS,
    },
    answering(caller, ({ limit, offset, query }) => {
      const page = sessions.list({ limit, offset, query, viewer: caller.owner });
      return { sessions: page.sessions.map(toSessionItem), count: page.sessions.length, total: page.total };
    }),
  );

  server.registerTool(
    'sessions_read',
    {
      title: 'Read a session',
      description: 'The last messages of a session, oldest first, with who answered and why.',
      inputSchema: contract.SessionsReadInput,
      outputSchema: contract.SessionsReadResult,
      annotations: LOOKS,
    },
    answering(caller, ({ session_id, limit, before_seq }) => {
      const session = toSessionItem(sessions.summary(session_id));
      const found = sessions.messages(session_id, { limit: limit + 1, beforeSeq: before_seq });
      return { session, messages: found.slice(-limit).map(toMessageItem), has_more: found.length > limit };
    }),
  );
}
