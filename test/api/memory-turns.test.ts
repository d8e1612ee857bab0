// Normal chat with memory: what later turns know of earlier ones, and what no turn ever knows.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
  client = new TaskClient(server.url);
});
afterEach(async () => {
  await server.close();
  await upstream.close();
});

const ask = (content: string, session_id: string | null = 's', rest: object = {}) =>
  client.run({ content, session_id, forced_intent: 'GENERAL_CHAT', ...rest });
const sent = () =>
  ((upstream.requests.at(-1)?.['messages'] ?? []) as { content: string }[]).map(({ content }) => content).join('\n');
/** Until what follows the turns has been done. */
const settled = () =>
  expect.poll(async () => (await client.get('/memory/status'))['results_waiting'], { timeout: 10_000 }).toBe(0);

describe('a turn with memory', () => {
  it('knows what was said long ago in its session, says what it used, and nothing of other sessions', async () => {
    await ask('The gate code of the harbour is 4711.', 's');
    await ask('The gate code of the harbour is 9999.', 'other');
    upstream.behaviour = streams(['long '.repeat(400)]);
    for (let turn = 0; turn < 8; turn += 1) await ask(`Filler number ${turn} ${'word '.repeat(300)}`, 's');
    await settled();
    const task = await ask('Which gate code has the harbour?', 's');
    expect(sent()).toContain('> The gate code of the harbour is 4711.');
    expect(sent()).not.toContain('9999');
    const { memories } = await client.get<{ memories: { memory_id: string; text: string }[] }>(
      '/memory?session_id=s&limit=200',
    );
    const used = memories.find(({ text }) => text.includes('4711'))?.memory_id;
    expect(task.context_used?.memory_entries).toContain(used);
    const told = await client.get<{ context: { memories: object[]; degraded: string } }>(
      `/history/requests/${task.id}`,
    );
    const quote = { id: used, kind: 'fact', source: 'conversation', text: 'The gate code of the harbour is 4711.' };
    expect(told.context).toMatchObject({ degraded: 'lexical_only' });
    expect(told.context.memories).toContainEqual(quote);
    const { messages } = await client.get<{ messages: { context: object | null }[] }>('/sessions/s/messages');
    expect(messages.at(-1)?.context).toEqual(told.context);
    await fetch(`${server.url}/api/v1/memory/entries/${used}`, { method: 'DELETE' });
    const later = await client.get<{ context: { memories: object[] } }>(`/history/requests/${task.id}`);
    expect(later.context.memories).toContainEqual({ id: used, kind: null, source: null, text: null });
    await ask('Which gate code has the harbour?', 'third');
    expect(sent()).not.toMatch(/4711|9999/);
  }, 60_000);

  it('sums up what no longer fits, and the session shows it', async () => {
    upstream.behaviour = async (body, response) => {
      const system = (body['messages'] as { content: string }[])[0]?.content ?? '';
      await streams([system.startsWith('You condense') ? 'They planned a trip.' : 'word '.repeat(200)])(body, response);
    };
    for (let turn = 0; turn < 6; turn += 1) await ask(`Part ${turn} ${'word '.repeat(200)}`);
    await settled();
    expect(await client.get('/memory/session/s')).toMatchObject({ summary: 'They planned a trip.' });
    await ask('What did we plan?');
    expect(sent()).toContain('[SUMMARY]');
  }, 60_000);

  it('keeps nothing of a turn that is not to be learnt from, and forgets a session that begins anew', async () => {
    await ask('The parrot is called Coco.', 's', { store_knowledge: false });
    await settled();
    expect(await client.get('/memory?session_id=s')).toMatchObject({ total: 0 });
    expect(await client.get('/learning/logs')).toMatchObject({ count: 0 });
    await ask('The tortoise is called Tilly.', 's');
    await settled();
    expect(await client.get('/learning/logs?intent=GENERAL_CHAT&success=true&tag=llm_only')).toMatchObject({
      count: 1,
      items: [{ need: 'The tortoise is called Tilly.', outcome: 'Hello world', tool_required: false }],
    });
    await ask('/clear What is the tortoise called?', 's');
    expect(sent()).not.toContain('Tilly');
    await settled();
    expect(JSON.stringify(await client.get('/memory?session_id=s'))).not.toContain('Tilly');
  });

  it('keeps the labels of what was said on all that is made of it, so that an approved answer stays in its session', async () => {
    const { id } = await ask('My account is DE89 3704 0044 0532 0130 00, write a reminder about the rent', 'bank');
    await settled();
    const { memories } = await client.get<{ memories: { labels: string[] }[] }>('/memory?session_id=bank');
    expect(memories.length).toBeGreaterThan(0);
    for (const { labels } of memories) expect(labels.length).toBeGreaterThan(0);
    await client.post('/feedback', { task_id: id, rating: 'up' });
    await ask('Write a reminder about the rent of my account', 'elsewhere');
    expect(sent()).not.toContain('DE89');
    await ask('Write a reminder about the rent of my account', 'bank');
    expect(sent()).toContain('[APPROVED EXAMPLES]');
  });

  it('asks again after a thumbs-down, and knows the lesson the next time', async () => {
    const { id } = await ask('Write a haiku about the winter sea');
    const response = await client.post('/feedback', {
      task_id: id,
      rating: 'down',
      comment: 'A haiku has three lines.',
    });
    const { follow_up_task_id } = (await response.json()) as { follow_up_task_id: string };
    const followUp = await client.ended(follow_up_task_id);
    expect(followUp.content).toMatch(/haiku about the winter sea[\s\S]*three lines/);
    const task = await ask('Write a haiku about the winter moon', 'next');
    expect(sent()).toContain('Conclusion: A haiku has three lines.');
    expect(task.context_used?.lessons).toHaveLength(1);
    expect((await client.get('/feedback/logs'))['items']).toMatchObject([
      { task_id: id, rating: 'down', intent: 'GENERAL_CHAT', tool_required: false },
    ]);
  });
});
