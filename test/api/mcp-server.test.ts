// Venom as an MCP server, as the official client sees it, in both eras of the protocol.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
const clients: Client[] = [];

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.close();
  await upstream.close();
});

async function connect(era: 'legacy' | 'modern'): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
  clients.push(client);
  return client;
}

const call = async (client: Client, name: string, args: Record<string, unknown> = {}) => {
  const result = await client.callTool({ name, arguments: args });
  expect(result.isError, JSON.stringify(result.content)).toBeFalsy();
  return result.structuredContent as Record<string, unknown>;
};

describe.each(['legacy', 'modern'] as const)('/mcp in the %s era', (era) => {
  it('says of each tool whether it changes or destroys anything, and lists them in the same order each time', async () => {
    const client = await connect(era);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual((await client.listTools()).tools.map(({ name }) => name));
    for (const { name, annotations, outputSchema, description } of tools) {
      expect(annotations?.readOnlyHint, name).toBeTypeOf('boolean');
      expect(annotations?.destructiveHint, name).toBeTypeOf('boolean');
      expect(outputSchema?.type, name).toBe('object');
      expect(description?.length, name).toBeGreaterThan(20);
    }
    const destroys = tools.filter(({ annotations }) => annotations?.destructiveHint).map(({ name }) => name);
    expect(destroys.sort()).toEqual(['memory_forget', 'operations_cancel']);
  });

  it('answers a question through routing, keeps the turn, and tells how far it is', async () => {
    upstream.behaviour = streams(['One', ' two', ' three'], 250);
    const client = await connect(era);
    const seen: { progress: number; message?: string | undefined }[] = [];
    const result = await client.callTool(
      { name: 'chat', arguments: { message: 'Count', session_id: 'mcp-1' } },
      { onprogress: ({ progress, message }) => seen.push({ progress, message }) },
    );
    expect(result.structuredContent).toMatchObject({
      answer: 'One two three',
      status: 'complete',
      mode: 'direct',
      session_id: 'mcp-1',
    });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.map(({ progress }) => progress)).toEqual(seen.map(({ progress }) => progress).sort((a, b) => a - b));
    expect(seen.at(-1)?.message).toContain('One');
    const read = await call(client, 'sessions_read', { session_id: 'mcp-1' });
    const messages = read['messages'] as { role: string; content: string; receipt?: unknown }[];
    expect(messages.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: Count',
      'assistant: One two three',
    ]);
    // The way every answer goes: a receipt says who was asked and why.
    expect(messages[1]?.receipt).toBeTruthy();
  });

  it('stops the engine when the call is cancelled', async () => {
    upstream.behaviour = streams(
      Array.from({ length: 500 }, () => 'word '),
      20,
    );
    const client = await connect(era);
    const cancelling = new AbortController();
    const asked = client.callTool(
      { name: 'chat', arguments: { message: 'Go on for ever' } },
      { signal: cancelling.signal },
    );
    asked.catch(() => {});
    await vi.waitFor(() => expect(upstream.open()).toBe(1));
    cancelling.abort();
    await expect(asked).rejects.toThrow();
    await vi.waitFor(() => expect(upstream.open()).toBe(0), 5_000);
  });

  it('runs a task in normal mode', async () => {
    const client = await connect(era);
    const answer = await call(client, 'chat', { message: 'Tell me about rivers', mode: 'normal', session_id: 'mcp-2' });
    expect(answer).toMatchObject({ status: 'complete', mode: 'normal', answer: 'Hello world', session_id: 'mcp-2' });
  });

  it('tells failures with their code, as a result a model can read', async () => {
    const client = await connect(era);
    const unknown = await client.callTool({ name: 'sessions_read', arguments: { session_id: 'nobody' } });
    expect(unknown.isError).toBe(true);
    expect(unknown.content).toEqual([{ type: 'text', text: expect.stringMatching(/^session_not_found: /) }]);
    expect(unknown._meta?.['venom/error']).toMatchObject({ code: 'session_not_found' });
    const wrong = await client.callTool({ name: 'memory_search', arguments: { query: '' } });
    expect(wrong.isError).toBe(true);
  });

  it('remembers, finds and forgets', async () => {
    const client = await connect(era);
    const { memory_id } = await call(client, 'memory_remember', { text: 'The blue bicycle is in the cellar.' });
    const found = await call(client, 'memory_search', { query: 'bicycle' });
    expect(JSON.stringify(found['results'])).toContain('blue bicycle');
    await call(client, 'memory_forget', { memory_id });
    expect(await call(client, 'memory_list')).toMatchObject({ total: 0 });
    const again = await client.callTool({ name: 'memory_forget', arguments: { memory_id } });
    expect(again._meta?.['venom/error']).toMatchObject({ code: 'memory_not_found' });
  });

  it('gives sessions, models and documentation to read, completes their names, and offers prompts about them', async () => {
    const client = await connect(era);
    await call(client, 'chat', { message: 'Hello there', session_id: 'mcp-3' });
    const { resources } = await client.listResources();
    const uris = resources.map(({ uri }) => uri);
    expect(uris).toContain('venom://sessions/mcp-3');
    expect(uris).toContain('venom://models/org%2Fother');
    expect(uris).toContain('venom://docs/architecture.md');
    for (const [uri, text] of [
      ['venom://sessions/mcp-3', 'Hello there'],
      ['venom://models/org%2Fother', '"name": "org/other"'],
      ['venom://docs/architecture.md', '# Architecture'],
    ] as const)
      expect(JSON.stringify((await client.readResource({ uri })).contents)).toContain(
        JSON.stringify(text).slice(1, -1),
      );
    await expect(client.readResource({ uri: 'venom://docs/..%2Fpackage.json' })).rejects.toThrow(/not found/i);
    await expect(client.readResource({ uri: 'venom://sessions/nobody' })).rejects.toThrow(/not found/i);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'summarise_session' },
      argument: { name: 'session_id', value: 'mcp' },
    });
    expect(completion.values).toEqual(['mcp-3']);
    const models = await client.complete({
      ref: { type: 'ref/resource', uri: 'venom://models/{name}' },
      argument: { name: 'name', value: 'oth' },
    });
    expect(models.completion.values).toEqual(['org/other']);
    const prompt = await client.getPrompt({ name: 'summarise_session', arguments: { session_id: 'mcp-3' } });
    expect(JSON.stringify(prompt.messages)).toContain('Hello there');
    const routing = await client.getPrompt({ name: 'explain_routing', arguments: { session_id: 'mcp-3' } });
    expect(JSON.stringify(routing.messages)).toContain('receipt');
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual([
      'summarise_session',
      'explain_routing',
      'choose_model',
    ]);
  });

  it('lists models, what is in memory, and operations', async () => {
    const client = await connect(era);
    expect(JSON.stringify(await call(client, 'models_list'))).toContain('fake-model');
    expect(await call(client, 'models_show', { name: 'fake-model' })).toMatchObject({ name: 'fake-model' });
    expect(await call(client, 'models_ps')).toHaveProperty('models');
    expect(await call(client, 'operations_list')).toEqual({ operations: [], count: 0 });
    const missing = await client.callTool({ name: 'models_activate', arguments: { name: 'no-such-model' } });
    expect(missing._meta?.['venom/error']).toMatchObject({ code: 'model_not_found' });
  });
});
