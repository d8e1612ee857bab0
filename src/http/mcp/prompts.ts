// Prompts a client can offer its user: ready questions with what they are about.
import { completable, type McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { SessionStore } from '../../chat/sessions/session-store.js';
import { SessionId } from '../../contract/simple-chat.js';
import type { ModelManager } from '../../models/model-manager.js';
import { ownName } from '../../shared/owner.js';
import { toReceipt } from '../routes/receipt-shapes.js';
import { toMarkdown } from '../routes/sessions.js';
import { sessionIds } from './completions.js';
import type { ToolCaller } from './tool-result.js';
import { type ModelToolsParts, modelCard } from './tools/models.js';

const SUMMARISED_MESSAGES = 200;
const EXPLAINED_ANSWERS = 20;

export interface PromptParts extends Pick<ToolCaller, 'owner'> {
  sessions: SessionStore;
  models: ModelManager;
  registry: ModelToolsParts['registry'];
}

export function prompts(server: McpServer, { sessions, models, registry, owner }: PromptParts): void {
  const session = completable(SessionId.describe('a chat session'), (typed) => sessionIds(sessions, owner, typed));
  const existing = (name: string): string => {
    const id = name.includes('~') && owner !== null ? null : ownName(owner, name);
    if (id === null || sessions.messages(id, { limit: 1 }).length === 0)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no session ${name}.`);
    return id;
  };

  server.registerPrompt(
    'summarise_session',
    {
      title: 'Summarise a session',
      description: 'What was asked, what was found, and what is still open',
      argsSchema: z.object({ session_id: session }),
    },
    ({ session_id }) => {
      const id = existing(session_id);
      const text = toMarkdown(sessions.summary(id), sessions.messages(id, { limit: SUMMARISED_MESSAGES }));
      return {
        description: 'Summary of one session',
        messages: [
          said('Summarise this conversation: what was wanted, what was found or decided, and what is still open.'),
          attached(`venom://sessions/${encodeURIComponent(session_id)}`, 'text/markdown', text),
        ],
      };
    },
  );

  server.registerPrompt(
    'explain_routing',
    {
      title: 'Explain routing',
      description: 'Why the answers of a session came from where they came, and what left this machine',
      argsSchema: z.object({ session_id: session }),
    },
    ({ session_id }) => {
      const receipts = sessions
        .receipts(existing(session_id), { limit: EXPLAINED_ANSWERS, afterSeq: 0 })
        .map(({ requestId, model, receipt }) => ({ request_id: requestId, model, receipt: toReceipt(receipt) }));
      return {
        description: 'Routing of one session',
        messages: [
          said(
            'These are the receipts of the answers of one session. Explain in plain words which model answered each time and why, whether anything left the machine, what was masked, and what it cost.',
          ),
          attached(
            `venom://sessions/${encodeURIComponent(session_id)}/routing`,
            'application/json',
            JSON.stringify(receipts, null, 2),
          ),
        ],
      };
    },
  );

  server.registerPrompt(
    'choose_model',
    {
      title: 'Choose a model',
      description: 'Which of the installed models suits a piece of work',
      argsSchema: z.object({ work: z.string().min(1).max(2_000).describe('what it is needed for') }),
    },
    async ({ work }) => {
      const names = [...new Set((await models.list()).models.filter(({ chat }) => chat).map(({ name }) => name))];
      const cards = await Promise.all(names.slice(0, 50).map((name) => modelCard({ models, registry }, name)));
      return {
        description: 'A model for a piece of work',
        messages: [
          said(
            `Which of the installed models below suits this best, and why? Go by what was measured. If none does, say what to look for with models_search.\n\nThe work: ${work}`,
          ),
          attached('venom://models', 'application/json', JSON.stringify(cards, null, 2)),
        ],
      };
    },
  );
}

const said = (text: string) => ({ role: 'user' as const, content: { type: 'text' as const, text } });
const attached = (uri: string, mimeType: string, text: string) => ({
  role: 'user' as const,
  content: { type: 'resource' as const, resource: { uri, mimeType, text } },
});
