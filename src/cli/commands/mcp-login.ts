// venom mcp login|logout: a person goes with a browser to where a remote MCP server sends them. The address is printed and
// never opened by us: it comes from outside.
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';

const BEGIN_MS = 60_000;
const LOOK_MS = 500;

export interface LoginOptions {
  clientId?: string;
  clientSecret?: string;
  scope?: string;
}

interface Server {
  state: string;
  tools: number;
  quarantined: number;
  authorization: { state: string; granted_at: string | null } | null;
  last_error: { message: string } | null;
}

const at = (name: string, rest = ''): string => `/api/v1/mcp/servers/${encodeURIComponent(name)}${rest}`;

/** @throws AppError `mcp_authorization_failed` when nobody came back in time */
export async function logIn(context: CommandContext, name: string, options: LoginOptions): Promise<void> {
  const client = await context.server();
  const shown = async () => (await client.get<{ server: Server }>(at(name))).server;
  const before = (await shown()).authorization?.granted_at ?? null;
  const begun = await client.post<{ authorization_url: string; expires_at: string }>(
    at(name, '/authorize'),
    {
      ...(options.clientId === undefined ? {} : { client_id: options.clientId }),
      ...(options.clientSecret === undefined ? {} : { client_secret: options.clientSecret }),
      ...(options.scope === undefined ? {} : { scope: options.scope }),
    },
    BEGIN_MS,
  );
  if (context.terminal.json) return context.terminal.result(begun, '');
  context.terminal.note(`Open this address in a browser on this machine:\n\n  ${begun.authorization_url}\n`);
  context.terminal.note('Waiting until you have logged in. Ctrl+C leaves; the address stays good for ten minutes.');
  for (const end = Date.parse(begun.expires_at); Date.now() < end; await sleep(LOOK_MS)) {
    const { authorization } = await shown();
    if (authorization?.state !== 'granted' || authorization.granted_at === before) continue;
    return context.terminal.result(begun, `Logged in: ${name} can be used. Its tools: venom mcp tools ${name}`);
  }
  throw new AppError('mcp_authorization_failed', `Nobody logged in at ${name} within ten minutes.`);
}

export async function logOut(context: CommandContext, name: string): Promise<void> {
  const client = await context.server();
  const answer = await client.delete<{ revoked: boolean }>(at(name, '/authorize'), BEGIN_MS);
  context.terminal.result(
    answer,
    answer.revoked ? `Logged out of ${name}.` : `Logged out of ${name} here; it has no way to be told.`,
  );
}
