import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, it } from 'vitest';
import { McpSessions } from './mcp-sessions.js';

const caller = (clientId: string) => ({ token: '', clientId, scopes: [] });
let sessions: McpSessions;
let now = 0;
afterEach(() => sessions.close());

async function begin(owner: string): Promise<string> {
  const entry = await sessions.open(caller(owner), {});
  const answer = await entry.transport.handleRequest(
    new Request('http://venom.internal/mcp', {
      method: 'POST',
      headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
    }),
    {
      parsedBody: {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
      },
    },
  );
  await answer.text();
  return String(answer.headers.get('mcp-session-id'));
}

const make = () => new McpServer({ name: 'x', version: '1' });

describe('McpSessions', () => {
  it('gives a session to nobody but whoever opened it', async () => {
    sessions = new McpSessions(make, { sessions: 5, idleMs: 1_000 }, () => now);
    const id = await begin('anna');
    expect(sessions.find(id, caller('anna'))).toBeDefined();
    expect(sessions.find(id, caller('bert'))).toBeUndefined();
  });

  it('ends what nobody uses, and nothing that is in use', async () => {
    now = 0;
    sessions = new McpSessions(make, { sessions: 5, idleMs: 1_000 }, () => now);
    const idle = await begin('anna');
    const used = await begin('anna');
    const entry = sessions.find(used, caller('anna'));
    if (!entry) throw new Error('no session');
    const release = sessions.use(entry);
    now = 1_000;
    await sessions.endIdle();
    expect(sessions.find(idle, caller('anna'))).toBeUndefined();
    expect(sessions.find(used, caller('anna'))).toBeDefined();
    release();
    await sessions.endIdle();
    expect(sessions.size).toBe(1);
    now = 2_000;
    await sessions.endIdle();
    expect(sessions.size).toBe(0);
  });

  it('refuses one more where all are in use', async () => {
    sessions = new McpSessions(make, { sessions: 1, idleMs: 1_000 }, () => now);
    const entry = sessions.find(await begin('anna'), caller('anna'));
    if (!entry) throw new Error('no session');
    sessions.use(entry);
    await expect(sessions.open(caller('bert'), {})).rejects.toMatchObject({ code: 'queue_full' });
  });
});
