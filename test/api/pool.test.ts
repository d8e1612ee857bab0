// Several servers as one engine, through the whole server: one of them hangs, one cuts its connections, one is well.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';
import { TaskClient } from './task-client.js';

let upstreams: FakeUpstream[];
let server: TestServer;

beforeEach(async () => {
  upstreams = await Promise.all([startFakeUpstream(), startFakeUpstream(), startFakeUpstream()]);
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstreams.map(({ url }) => url).join(', '),
    UPSTREAM_IDLE_TIMEOUT_SECONDS: '0.5',
    UPSTREAM_CIRCUIT_OPEN_SECONDS: '0.2',
    POOL_BACKOFF_SECONDS: '0.1',
    LLM_WARMUP_ON_STARTUP: 'false',
  });
});
afterEach(async () => {
  await server.close();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

const ask = async (content: string, session_id?: string) => {
  const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content, model: 'fake-model', ...(session_id ? { session_id } : {}) }),
  });
  const events = await readEvents(response);
  return { end: events.at(-1)?.event, text: textOf(events), requestId: response.headers.get('x-request-id') };
};
const get = async (path: string) =>
  (await fetch(`${server.url}/api/v1${path}`)).json() as Promise<Record<string, unknown>>;
interface Target {
  runtime_id: string;
  members: { endpoint: string; state: string; served: number; last_error: string | null }[];
}
const members = async () => {
  const { runtimes } = (await get('/system/llm-runtime/options')) as unknown as { runtimes: Target[] };
  return runtimes.find(({ runtime_id }) => runtime_id === 'openai-compatible')?.members ?? [];
};
const served = () => upstreams.map(({ requests }) => requests.length);

describe('a pool', () => {
  it('fails no request while one member hangs and one cuts its connections, and takes them back when they are well', async () => {
    const [hangs, resets, well] = upstreams as [FakeUpstream, FakeUpstream, FakeUpstream];
    hangs.behaviour = () => {};
    resets.behaviour = (_body, response) => void response.socket?.resetAndDestroy();
    well.behaviour = streams(['well'], 1);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => ask(`Question ${index}`)));
    expect(answers.filter(({ end, text }) => end !== 'done' || text !== 'well')).toEqual([]);
    const before = await members();
    expect(before.map(({ state }) => state)).toContain('excluded');
    expect(before[2]).toMatchObject({ endpoint: well.url, state: 'in-service', last_error: null });
    expect(before[1]?.last_error).toMatch(/cut the connection/);

    hangs.behaviour = streams(['back']);
    resets.behaviour = streams(['back']);
    await expect
      .poll(async () => (await members()).map(({ state }) => state), { timeout: 8_000 })
      .toEqual(['in-service', 'in-service', 'in-service']);
    const counts = served();
    await Promise.all(Array.from({ length: 12 }, (_, index) => ask(`Again ${index}`)));
    for (const [index, count] of served().entries()) expect(count).toBeGreaterThan(counts[index] as number);
  });

  it('shares the work, and keeps a conversation where it began', async () => {
    for (let count = 0; count < 6; count += 1) await ask(`One of many ${count}`);
    expect(served()).toEqual([2, 2, 2]);
    const sessions = ['a', 'b', 'c', 'd'];
    for (let turn = 0; turn < 4; turn += 1) for (const session of sessions) await ask(`${session} ${turn}`, session);
    const homes = sessions.map((session) =>
      upstreams.map(
        ({ requests }) =>
          requests.filter((body) =>
            (body['messages'] as { content: string }[]).at(-1)?.content.startsWith(`${session} `),
          ).length,
      ),
    );
    // All four turns of each at one member, and not all of them at the same.
    for (const counts of homes) expect(counts.toSorted()).toEqual([0, 0, 4]);
    expect(new Set(homes.map((counts) => counts.indexOf(4))).size).toBe(3);
    const scopes = async () =>
      ((await get('/system/llm-runtime/queue-snapshot')) as unknown as { traffic: { scopes: Record<string, object> } })
        .traffic.scopes;
    // Questions of a page may still be on their way.
    for (const { url } of upstreams)
      await expect
        .poll(async () => (await scopes())[`openai-compatible@${url}`])
        .toMatchObject({ in_flight: 0, circuit: { state: 'closed' } });
  });

  it('keeps the conversation of tasks, too, and shows its traffic to Prometheus', async () => {
    const tasks = new TaskClient(server.url);
    await fetch(`${server.url}/api/v1/models/switch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'fake-model' }),
    });
    for (const content of ['Tell me something about the sea.', 'And something about the mountains.']) {
      const id = await tasks.submit({ content, session_id: 'tasks' });
      await tasks.until(id, ({ status }) => status === 'COMPLETED');
    }
    expect(served().filter((count) => count > 0)).toHaveLength(1);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    for (const { url } of upstreams)
      expect(metrics).toContain(`venom_upstream_requests{endpoint="openai-compatible@${url}"}`);
  });

  it('tells in the trace which server answered and why', async () => {
    await ask('First', 's');
    const { requestId } = await ask('Second', 's');
    const { steps } = (await get(`/history/requests/${requestId}`)) as unknown as {
      steps: { action: string; details: string }[];
    };
    expect(JSON.parse(steps.find(({ action }) => action === 'placed')?.details ?? '{}')).toMatchObject({
      reason: 'session',
      endpoint: expect.stringContaining('127.0.0.1'),
    });
  });

  it('moves on for clients of the OpenAI wire too, and keeps a conversation by its beginning', async () => {
    const [first, second, third] = upstreams as [FakeUpstream, FakeUpstream, FakeUpstream];
    const chat = (messages: object[]) =>
      fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'fake-model', messages }),
      });
    first.behaviour = (_body, response) => void response.socket?.resetAndDestroy();
    second.behaviour = (_body, response) => void response.writeHead(503).end('{"error":{"message":"busy"}}');
    third.behaviour = streams(['fine']);
    const opening = [{ role: 'user', content: 'Tell me a story' }];
    const answer = await chat(opening);
    expect(answer.status).toBe(200);
    expect(JSON.stringify(await answer.json())).toContain('fine');
    first.behaviour = streams(['other']);
    second.behaviour = streams(['other']);
    await expect.poll(async () => (await members()).every(({ state }) => state === 'in-service')).toBe(true);
    const next = await chat([...opening, { role: 'assistant', content: 'fine' }, { role: 'user', content: 'Go on' }]);
    expect(JSON.stringify(await next.json())).toContain('fine');
  });

  it('passes a stream on whole, byte for byte, from the first member that gives one', async () => {
    const [first, second, third] = upstreams as [FakeUpstream, FakeUpstream, FakeUpstream];
    const words = Array.from({ length: 200 }, (_, index) => `w${index} `);
    first.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    };
    second.behaviour = (_body, response) => void response.writeHead(500).end('{}');
    third.behaviour = streams(words, 1);
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'fake-model', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    const deltas = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word);
    expect(deltas).toEqual(words);
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    await expect
      .poll(async () => (await members()).map((member) => (member as { in_flight?: number }).in_flight))
      .toEqual([0, 0, 0]);
  });

  it('does not ask everybody a question that is wrong, and passes the refusal on', async () => {
    for (const upstream of upstreams)
      upstream.behaviour = (_body, response) => void response.writeHead(400).end('{"error":{"message":"too long"}}');
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'fake-model', messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('too long');
    expect(served().reduce((sum, count) => sum + count, 0)).toBe(1);
    expect((await members()).map(({ state }) => state)).toEqual(['in-service', 'in-service', 'in-service']);
  });

  it('ends an answer that breaks off in the middle, because its text was given away', async () => {
    for (const upstream of upstreams)
      upstream.behaviour = async (body, response) => {
        response.on('error', () => {});
        const write = response.write.bind(response);
        let pieces = 0;
        response.write = ((piece: string) => {
          pieces += 1;
          if (pieces < 3) return write(piece);
          setTimeout(() => response.socket?.resetAndDestroy(), 20);
          return true;
        }) as never;
        response.end = (() => response) as never;
        await streams(['half', 'more', 'rest'], 5)(body, response);
      };
    const { end, text } = await ask('Break');
    expect(end).toBe('error');
    expect(text).toMatch(/^half/);
    expect(served().reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});

it('one dead server alone is left alone for a while, and the others never notice', async () => {
  const dead = upstreams[0] as FakeUpstream;
  await dead.close();
  const alone = await startServer({
    LLM_LOCAL_ENDPOINT: dead.url,
    VLLM_ENDPOINT: upstreams[1]?.url ?? '',
    UPSTREAM_CIRCUIT_FAILURES: '3',
    UPSTREAM_RETRY_MAX_ATTEMPTS: '1',
    LLM_WARMUP_ON_STARTUP: 'false',
  });
  try {
    const scopes = async () =>
      (
        (await (await fetch(`${alone.url}/api/v1/system/llm-runtime/queue-snapshot`)).json()) as {
          traffic: { scopes: Record<string, { circuit: { state: string }; refused: number }> };
        }
      ).traffic.scopes;
    const question = (model: string) =>
      fetch(`${alone.url}/v1/embeddings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, input: 'x' }),
      });
    for (let count = 0; count < 6; count += 1)
      expect((await question('unknown-name')).status).toBeGreaterThanOrEqual(500);
    const names = await scopes();
    expect(names[`openai-compatible@${dead.url}`]).toMatchObject({ circuit: { state: 'open' } });
    expect(names[`openai-compatible@${dead.url}`]?.refused).toBeGreaterThan(0);
    expect(names[`vllm@${upstreams[1]?.url}`]).toMatchObject({ circuit: { state: 'closed' }, refused: 0 });
    expect((await question('fake-model')).status).toBe(200);
  } finally {
    await alone.close();
  }
});

it('a model whose answers fail is left alone for a while, however well its server lists it', async () => {
  const broken = upstreams[0] as FakeUpstream;
  broken.behaviour = (body, response) =>
    body['model'] === 'fake-model'
      ? void response.writeHead(500).end('{"error":{"message":"out of kilter"}}')
      : streams(['well'])(body, response);
  const alone = await startServer({
    LLM_LOCAL_ENDPOINT: broken.url,
    UPSTREAM_CIRCUIT_FAILURES: '3',
    LLM_WARMUP_ON_STARTUP: 'false',
  });
  try {
    const question = async (model: string) => {
      const answer = await fetch(`${alone.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
      });
      return { status: answer.status, text: await answer.text() };
    };
    for (let count = 0; count < 3; count += 1) {
      await question('fake-model');
      await fetch(`${alone.url}/api/v1/system/llm-servers`);
    }
    const asked = broken.requests.length;
    expect(await question('fake-model')).toMatchObject({
      status: 503,
      text: expect.stringContaining('failed 3 times in a row'),
    });
    expect(broken.requests).toHaveLength(asked);
    expect((await question('org/other')).status).toBe(200);
    const { traffic } = (await (await fetch(`${alone.url}/api/v1/system/llm-runtime/queue-snapshot`)).json()) as {
      traffic: { scopes: Record<string, unknown> };
    };
    expect(traffic.scopes[`openai-compatible@${broken.url}`]).toMatchObject({
      circuit: { state: 'closed' },
      failing_models: [{ model: 'fake-model', circuit: { state: 'open', failures_in_a_row: 3 } }],
    });
  } finally {
    await alone.close();
  }
});
