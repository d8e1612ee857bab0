// What a user's key may do: talk, remember, translate and read. What changes the installation for everybody, starts programs
// or spends money on its own is the administrator's. Whatever is not named here is the administrator's too.

/** Route by route, as `METHOD url`. */
const USERS_MAY: ReadonlySet<string> = new Set([
  // Chat
  'POST /api/v1/llm/simple/stream',
  'POST /api/v1/llm/simple/stream/:request_id/cancel',
  'POST /api/v1/tasks',
  'POST /api/v1/tasks/:task_id/resume',
  'POST /api/v1/queue/task/:task_id/abort',
  'POST /api/v1/routing/explain',
  'POST /api/v1/feedback',
  'POST /api/v1/translate',
  'POST /api/v1/translate/stream',
  // Sessions and memory
  'PATCH /api/v1/sessions/:session_id',
  'DELETE /api/v1/sessions/:session_id',
  'POST /api/v1/sessions/:session_id/truncate',
  'POST /api/v1/memory/ingest',
  'POST /api/v1/memory/search',
  'DELETE /api/v1/memory/entries/:memory_id',
  'DELETE /api/v1/memory/session/:session_id',
  'POST /api/v1/knowledge/files',
  // APIs of others
  'POST /v1/chat/completions',
  'POST /v1/completions',
  'POST /v1/embeddings',
  'POST /v1/responses',
  'DELETE /v1/responses/:response_id',
  'POST /v1/responses/:response_id/cancel',
  'POST /v1/messages',
  'POST /v1/messages/count_tokens',
  'POST /api/show',
  'POST /api/chat',
  'POST /api/generate',
  'POST /api/embed',
  'POST /api/embeddings',
  // Its tools ask for the administrator themselves where they need one.
  'POST /mcp',
  'DELETE /mcp',
]);

/** What is read elsewhere by everybody, but here tells of secrets, of other machines or of what runs. */
const HIDDEN_FROM_USERS: ReadonlySet<string> = new Set([
  '/api/v1/mcp/export',
  '/api/v1/mcp/plans',
  '/api/v1/mcp/secrets',
  '/api/v1/mcp/servers/:name/logs',
  '/api/v1/skills/custom',
  '/api/v1/skills/custom/:name',
  '/api/v1/system/backups',
  '/api/v1/system/backups/:name',
  '/api/v1/system/llm-servers/:server_name/logs',
  '/api/v1/system/settings',
  '/mcp/all',
  '/mcp/:name',
]);

/** @param url  of the route, with its parameters' names; undefined where there is none */
export function isForUsers(method: string, url: string | undefined): boolean {
  if (url === undefined) return true;
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return !HIDDEN_FROM_USERS.has(url);
  return USERS_MAY.has(`${method} ${url}`);
}

/** Every route that is named above, for the test that holds them against those there are. */
export const namedRoutes = (): string[] => [...USERS_MAY, ...[...HIDDEN_FROM_USERS].map((url) => `GET ${url}`)];
