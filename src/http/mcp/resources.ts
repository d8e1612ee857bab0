// What MCP clients can read of Venom: sessions as Markdown, cards of installed models, and the documentation.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import type { SessionStore } from '../../chat/sessions/session-store.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import { AppError } from '../../shared/errors.js';
import { nameFor } from '../../shared/owner.js';
import { ownSessionId } from '../ownership.js';
import { toMarkdown } from '../routes/sessions.js';
import { modelNames, sessionIds } from './completions.js';
import type { ToolCaller } from './tool-result.js';
import { modelCard } from './tools/models.js';

const LISTED_SESSIONS = 50;
const SESSION_MESSAGES = 1_000;
const DOC_NAME = /^[\w-]+\.md$/;

export interface ResourceParts extends Pick<ToolCaller, 'owner'> {
  sessions: SessionStore;
  models: ModelManager;
  registry: ModelRegistry;
  /** Folder of the documentation; where it is missing, none is offered. */
  docsDir: string;
}

export function resources(server: McpServer, { sessions, models, registry, docsDir, owner }: ResourceParts): void {
  const sessionsOf = () => sessions.list({ limit: LISTED_SESSIONS, offset: 0, query: '', viewer: owner }).sessions;
  server.registerResource(
    'session',
    new ResourceTemplate('venom://sessions/{session_id}', {
      list: () => ({
        resources: sessionsOf().map((session) => ({
          uri: `venom://sessions/${encodeURIComponent(nameFor(owner, session.sessionId))}`,
          name: session.title || nameFor(owner, session.sessionId),
          mimeType: 'text/markdown',
          annotations: { lastModified: new Date(session.updatedAt).toISOString() },
        })),
      }),
      complete: { session_id: (value) => sessionIds(sessions, owner, value) },
    }),
    { title: 'Chat session', description: 'One session as Markdown', mimeType: 'text/markdown' },
    (uri, { session_id }) => {
      const name = decoded(uri, session_id);
      const text = found(uri, () => {
        const id = ownSessionId(owner, name);
        return toMarkdown(sessions.summary(id), sessions.messages(id, { limit: SESSION_MESSAGES }));
      });
      return { contents: [{ uri: uri.href, mimeType: 'text/markdown', text }] };
    },
  );

  server.registerResource(
    'model',
    new ResourceTemplate('venom://models/{name}', {
      list: async () => ({
        resources: (await models.list()).models.map((model) => ({
          uri: `venom://models/${encodeURIComponent(model.name)}`,
          name: model.name,
          mimeType: 'application/json',
        })),
      }),
      complete: { name: (value) => modelNames(models, value) },
    }),
    { title: 'Model card', description: 'What an installed model is and can do', mimeType: 'application/json' },
    async (uri, { name }) => {
      const card = await modelCard({ models, registry }, decoded(uri, name)).catch((error) => refound(uri, error));
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify(card, null, 2) }] };
    },
  );

  server.registerResource(
    'documentation',
    new ResourceTemplate('venom://docs/{page}', {
      list: async () => ({
        resources: (await pages(docsDir)).map((page) => ({
          uri: `venom://docs/${page}`,
          name: page,
          mimeType: 'text/markdown',
        })),
      }),
      complete: { page: async (value) => (await pages(docsDir)).filter((page) => page.startsWith(value)) },
    }),
    { title: 'Documentation', description: 'A page of the documentation of Venom', mimeType: 'text/markdown' },
    async (uri, { page }) => {
      // Only names that the folder itself gave are opened.
      const name = (await pages(docsDir)).find((known) => known === page);
      if (name === undefined) throw new ResourceNotFoundError(uri.href);
      return {
        contents: [{ uri: uri.href, mimeType: 'text/markdown', text: await readFile(join(docsDir, name), 'utf8') }],
      };
    },
  );
}

const pages = async (docsDir: string): Promise<string[]> =>
  (await readdir(docsDir).catch(() => [])).filter((name) => DOC_NAME.test(name)).sort();

function decoded(uri: URL, value: string | string[] | undefined): string {
  try {
    return decodeURIComponent(String(value));
  } catch {
    throw new ResourceNotFoundError(uri.href);
  }
}

function found<T>(uri: URL, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return refound(uri, error);
  }
}

/** What is not there has the protocol's own error. */
function refound(uri: URL, error: unknown): never {
  if (error instanceof AppError && /_not_found$|^invalid_input$/.test(error.code))
    throw new ResourceNotFoundError(uri.href);
  throw error;
}
