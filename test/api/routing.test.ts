// Who answers, what may leave, what it may cost: the whole server against a local engine and two clouds that record every
// byte.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FakeCloud, GOOGLE_KEY, OPENAI_KEY, startFakeCloud } from './fake-cloud.js';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

const IBAN = 'PL61 1090 1014 0000 0712 1981 2874';
// biome-ignore lint/suspicious/noExplicitAny: answers are compared with what is expected, field by field
type Json = any;

let server: TestServer;
let local: FakeUpstream;
let cloud: FakeCloud;

async function start(env: Record<string, string> = {}, dataDir?: string) {
  cloud = await startFakeCloud();
  local = await startFakeUpstream();
  local.behaviour = streams(['From ', 'the ', 'house']);
  server = await startServer(
    { LLM_LOCAL_ENDPOINT: local.url, LLM_WARMUP_ON_STARTUP: 'false', ...cloud.env, ...env },
    dataDir,
  );
}

afterEach(async () => {
  await server?.close();
  await cloud?.close();
  await local?.close();
});

const call = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, Json> };
};

async function ask(content: string, options: Record<string, unknown> = {}) {
  const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content, ...options }),
  });
  if (!response.ok)
    return {
      status: response.status,
      error: (await response.json()) as Record<string, Json>,
      detail: {} as Record<string, Json>,
    };
  const events = await readEvents(response);
  const requestId = response.headers.get('x-request-id') as string;
  const detail = (await call('GET', `/history/requests/${requestId}`)).body;
  return { status: 200, text: textOf(events), events, detail };
}

const activate = (provider: string, model?: string) => call('POST', '/system/llm-runtime/active', { provider, model });
const newSession = () => `session-${randomUUID()}`;

describe('who answers', () => {
  it('stays in the house by default, and says so in history and message', async () => {
    await start();
    const session_id = newSession();
    const { text, detail } = await ask('Hello', { session_id });
    expect(text).toBe('From the house');
    expect(detail['routing_decision']).toEqual({
      target_runtime: null,
      provider: 'openai-compatible',
      model: 'fake-model',
      reason_code: 'default_eco_mode',
      complexity_score: 1,
      is_sensitive: false,
      fallback_applied: false,
      fallback_chain: ['openai-compatible:fake-model'],
      policy_gate_passed: true,
      estimated_cost_usd: 0,
      budget_remaining_usd: null,
      decision_timestamp: expect.stringMatching(/\+00:00$/),
      decision_latency_ms: expect.any(Number),
      error_message: null,
    });
    const { messages } = (await call('GET', `/sessions/${session_id}/messages`)).body as { messages: Json[] };
    expect(messages[1].receipt.attempts).toEqual([
      expect.objectContaining({ location: 'local', outcome: 'ok', bytes_received: 'From the house'.length }),
    ]);
    const { receipts } = (await call('GET', `/receipts?session_id=${session_id}`)).body as { receipts: Json[] };
    expect(receipts.map(({ receipt }) => receipt)).toEqual([messages[1].receipt]);
    expect(cloud.everything()).toBe('');
  });

  it('runs on the cloud after it was activated, and on a local engine again after that', async () => {
    await start();
    const activated = await activate('gem');
    expect(activated.body).toMatchObject({
      active_server: 'google',
      active_model: 'gemini-1.5-pro',
      source_type: 'cloud-api',
    });
    expect((await call('GET', '/system/llm-runtime/active')).body['runtime']).toMatchObject({ provider: 'google' });
    const { text, detail } = await ask('Hello');
    expect(text).toBe('From the cloud');
    expect(detail['routing_decision']).toMatchObject({
      target_runtime: 'google',
      reason_code: 'user_preference',
      fallback_chain: ['google:gemini-1.5-pro', 'openai-compatible:fake-model'],
    });
    const [request] = cloud.requests;
    expect(request?.headers['x-goog-api-key']).toBe(GOOGLE_KEY);
    expect(request?.url).not.toContain('AIza');
    const { attempts, cost_usd } = detail['receipt'];
    expect(attempts[0]).toMatchObject({ provider: 'google', bytes_sent: Buffer.byteLength(request?.body ?? '') });
    expect(attempts[0].bytes_received).toBeGreaterThan(100);
    expect(cost_usd).toBeCloseTo((10 * 0.0025 + 5 * 0.01) / 1_000, 9);
    await call('POST', '/system/llm-servers/active', { server_name: 'openai-compatible' });
    expect((await ask('Hello')).text).toBe('From the house');
    expect(cloud.requests).toHaveLength(1);
  });

  it('runs on any cloud that speaks as OpenAI does, where an administrator named it', async () => {
    cloud = await startFakeCloud();
    local = await startFakeUpstream();
    local.behaviour = streams(['From ', 'the ', 'house']);
    const dataDir = mkdtempSync(join(tmpdir(), 'venom-test-'));
    const prices = join(dataDir, 'prices.json');
    writeFileSync(
      prices,
      JSON.stringify({ models: { 'far-model': { input_cost_per_1k: 0.001, output_cost_per_1k: 0.002 } } }),
    );
    const env = {
      LLM_LOCAL_ENDPOINT: local.url,
      CLOUD_COMPATIBLE_ENDPOINT: `${cloud.origin}/v1`,
      CLOUD_COMPATIBLE_API_KEY: 'key-of-the-far-cloud',
      PRICING_FILE_PATH: prices,
    };
    server = await startServer(env, dataDir);
    expect((await activate('constructor')).status).toBe(400);
    expect((await activate('cloud-compatible')).status).toBe(400);
    expect((await activate('cloud-compatible', 'far-model')).body).toMatchObject({ active_model: 'far-model' });
    const { runtimes } = (await call('GET', '/system/llm-runtime/options')).body;
    expect(runtimes.find((one: Json) => one.runtime_id === 'cloud-compatible')).toMatchObject({
      configured: true,
      active: true,
    });
    expect((await ask('Hello')).text).toBe('From the cloud');
    expect(cloud.requests[0]?.headers.authorization).toBe('Bearer key-of-the-far-cloud');
    expect((await ask(`Pay to ${IBAN}`)).text).toBe('From the house');
    expect(cloud.everything()).not.toContain('1090 1014');
  });

  it('remembers the activated cloud over a restart', async () => {
    await start();
    await activate('openai', 'gpt-4o-mini');
    const { dataDir } = server;
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: local.url, ...cloud.env }, dataDir);
    expect((await ask('Hello')).text).toBe('From the cloud');
    expect(cloud.requests[0]?.headers.authorization).toBe(`Bearer ${OPENAI_KEY}`);
    expect(JSON.parse(cloud.requests[0]?.body ?? '').model).toBe('gpt-4o-mini');
  });

  it('refuses to activate what has no key, what the catalogue lacks, and anything where the house is forced', async () => {
    await start({ OPENAI_API_KEY: '' });
    expect((await activate('openai')).status).toBe(400);
    expect((await activate('google', 'gemini-99')).status).toBe(400);
    expect((await activate('azure')).status).toBe(400);
    await server.close();
    server = await startServer({ LLM_LOCAL_ENDPOINT: local.url, ...cloud.env, FORCE_LOCAL_MODEL: 'true' });
    expect((await activate('google')).status).toBe(403);
  });

  it('asks the cloud in CLOUD mode only when paid answers are allowed, and only with a key', async () => {
    await start({ AI_MODE: 'CLOUD', HYBRID_CLOUD_PROVIDER: 'openai' });
    const free = await ask('Hello');
    expect(free.text).toBe('From the house');
    expect(free.detail['routing_decision']).toMatchObject({
      reason_code: 'default_eco_mode',
      policy_gate_passed: false,
    });
    expect((await call('POST', '/system/cost-mode', { enable: true })).body).toMatchObject({ enabled: true });
    expect((await ask('Hello')).text).toBe('From the cloud');
    expect(cloud.requests[0]?.provider).toBe('openai');
    await server.close();
    server = await startServer({
      LLM_LOCAL_ENDPOINT: local.url,
      ...cloud.env,
      AI_MODE: 'CLOUD',
      GOOGLE_API_KEY: '',
    });
    await call('POST', '/system/cost-mode', { enable: true });
    const keyless = await ask('Hello');
    expect(keyless.text).toBe('From the house');
    expect(keyless.detail['routing_decision'].reason_code).toBe('fallback_auth_error');
  });

  it('lets /v1 name a cloud model, and answers a local one as before', async () => {
    await start({ AI_MODE: 'HYBRID' });
    const complete = async (model: string, stream: boolean, content = 'Hi') => {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, stream, messages: [{ role: 'user', content }] }),
      });
      return response.text();
    };
    expect(await complete('gpt-4o', true)).toContain('"content":"cloud"');
    expect(JSON.parse(await complete('gpt-4o', false)).choices[0].message.content).toBe('From the cloud');
    expect(JSON.parse(await complete('fake-model', false)).choices[0].message.content).toBe('From the house');
    expect(await complete('gpt-4o', false, `Pay to ${IBAN}`)).toContain('From the house');
    expect(cloud.everything()).not.toContain('1090 1014');
    const [newest] = (await call('GET', '/history/requests?limit=1')).body as unknown as Json[];
    const { receipt } = (await call('GET', `/history/requests/${newest.request_id}`)).body;
    expect(receipt.decision).toMatchObject({ reason_code: 'sensitive_content_override', findings: ['iban'] });
    expect(receipt.attempts[0].bytes_received).toBeGreaterThan(10);
  });

  it('lets a cloud model call tools over /v1, whole and streamed, and hands it the results', async () => {
    await start({ AI_MODE: 'HYBRID' });
    cloud.fault = ({ body }, response) => {
      if (JSON.parse(body).messages.at(-1).role === 'tool') return false;
      const call = (delta: object, finish: string | null = null) =>
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(
        call({
          tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }],
        }),
      );
      for (const piece of ['{"city":', '"Gdańsk"}'])
        response.write(call({ tool_calls: [{ index: 0, function: { arguments: piece } }] }));
      response.end(`${call({}, 'tool_calls')}data: [DONE]\n\n`);
      return true;
    };
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const tools = [{ type: 'function' as const, function: { name: 'weather', description: 'Now', parameters } }];
    const question = { role: 'user' as const, content: 'How is the weather?' };
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const request = {
      model: 'gpt-4o',
      tools,
      tool_choice: { type: 'function' as const, function: { name: 'weather' } },
      parallel_tool_calls: false,
    };
    const whole = await client.chat.completions.create({ ...request, messages: [question] });
    const toolCall = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Gdańsk"}' } };
    expect(whole.choices[0]).toMatchObject({
      message: { content: null, tool_calls: [toolCall] },
      finish_reason: 'tool_calls',
    });
    const sent = JSON.parse(cloud.requests[0]?.body ?? '');
    expect(sent.tools[0]).toMatchObject({ type: 'function', function: { name: 'weather', parameters } });
    expect(sent).toMatchObject({ tool_choice: request.tool_choice, parallel_tool_calls: false });
    const streamed = await client.chat.completions.stream({ ...request, messages: [question] }).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({ message: { tool_calls: [toolCall] }, finish_reason: 'tool_calls' });
    const message = whole.choices[0]?.message as OpenAI.ChatCompletionMessage;
    const result = { role: 'tool' as const, tool_call_id: 'call_1', content: 'Rain' };
    const last = await client.chat.completions.create({
      model: 'gpt-4o',
      tools,
      messages: [question, message, result],
    });
    expect(last.choices[0]?.message.content).toBe('From the cloud');
    expect(JSON.parse(cloud.requests.at(-1)?.body ?? '').messages.slice(1)).toEqual([
      expect.objectContaining({ role: 'assistant', tool_calls: [toolCall] }),
      { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
    ]);
    // What a tool found is looked at like everything else that would leave.
    const labelled = { ...result, content: `The account is ${IBAN}` };
    const before = cloud.requests.length;
    await expect(
      client.chat.completions.create({ ...request, messages: [question, message, labelled] }),
    ).rejects.toMatchObject({ status: 403, code: 'sensitive_blocked' });
    expect(cloud.requests).toHaveLength(before);
    expect(cloud.everything()).not.toContain('1090 1014');
    await expect(
      client.chat.completions.create({ model: 'gpt-4o', messages: [question, { ...result, tool_call_id: 'other' }] }),
    ).rejects.toMatchObject({ status: 400, code: 'invalid_input' });
  });

  it('explains a decision step by step and sends nothing', async () => {
    await start({ AI_MODE: 'HYBRID' });
    await call('POST', '/system/cost-mode', { enable: true });
    const { body } = await call('POST', '/routing/explain', {
      text: 'Write the architecture of a distributed system',
      mode: 'normal',
      task_type: 'CODING_COMPLEX',
    });
    expect(body['decision']).toMatchObject({
      target: 'cloud',
      provider: 'google',
      reason_code: 'task_complexity_high',
    });
    expect(body['steps'].map(({ check }: { check: string }) => check)).toEqual([
      'complexity',
      'sensitivity',
      'policy',
      'guard',
      'decision',
    ]);
    const secret = await call('POST', '/routing/explain', { text: `My account is ${IBAN}`, task_type: 'ANALYSIS' });
    expect(secret.body['decision']).toMatchObject({ target: 'local', findings: ['iban'] });
    expect(JSON.stringify(secret.body)).not.toContain('1090');
    expect(cloud.everything()).toBe('');
    expect(local.requests).toHaveLength(0);
  });

  it('follows a policy that was written, keeps its versions, and cannot be talked into sending what is sensitive', async () => {
    await start({ AI_MODE: 'HYBRID' });
    await call('POST', '/system/cost-mode', { enable: true });
    const policy = {
      kind: 'conditional',
      cases: [
        {
          when: { length: { max: 10 } },
          node: { kind: 'single', target: { where: 'cloud', provider: 'openai', tier: 'fast' } },
        },
      ],
      otherwise: { kind: 'single', target: { where: 'local' } },
    };
    expect((await call('GET', '/routing/policy')).body).toMatchObject({ version: 0, source: 'default' });
    expect((await call('PUT', '/routing/policy', { policy, expected_version: 0 })).body).toMatchObject({
      version: 1,
      source: 'stored',
    });
    expect((await call('PUT', '/routing/policy', { policy, expected_version: 0 })).status).toBe(409);
    expect((await ask('short')).text).toBe('From the cloud');
    expect(JSON.parse(cloud.requests[0]?.body ?? '').model).toBe('gpt-4o-mini');
    expect((await ask('longer than ten')).text).toBe('From the house');
    expect((await ask('my PIN key')).text).toBe('From the house');
    const { dataDir } = server;
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: local.url, ...cloud.env, AI_MODE: 'HYBRID' }, dataDir);
    expect((await ask('short')).text).toBe('From the cloud');
    expect((await call('PUT', '/routing/policy', { policy: null })).body).toMatchObject({
      version: 2,
      source: 'default',
    });
    expect((await ask('short')).text).toBe('From the house');
  });

  it('refuses a tree that is wrong or too deep', async () => {
    await start();
    expect(
      (await call('PUT', '/routing/policy', { policy: { kind: 'single', target: { where: 'mars' } } })).status,
    ).toBe(422);
    let deep: unknown = { kind: 'single', target: { where: 'local' } };
    for (let level = 0; level < 5_000; level += 1) {
      deep = { kind: 'fallback', nodes: [deep] };
      if (level === 40) expect((await call('PUT', '/routing/policy', { policy: deep })).status).toBe(422);
    }
    expect((await call('PUT', '/routing/policy', { policy: deep })).status).toBe(400);
  });
});

describe('what may leave', () => {
  it('keeps a sensitive question local in Direct mode although a cloud is active', async () => {
    await start();
    await activate('openai');
    for (const secret of [`Transfer to ${IBAN}`, 'My password is hunter2!', 'mail anna.k@example.com'])
      expect(await ask(secret)).toMatchObject({
        text: 'From the house',
        detail: { routing_decision: { reason_code: 'sensitive_content_override', is_sensitive: true } },
      });
    expect(cloud.requests).toHaveLength(0);
  });

  it('keeps a harmless question of a labelled session local, after a restart too', async () => {
    await start();
    const session_id = newSession();
    await ask(`Remember ${IBAN}`, { session_id });
    // So that the text itself is not sent along any more.
    for (let turn = 0; turn < 3; turn += 1) await ask('x'.repeat(3_000), { session_id });
    await activate('openai');
    expect((await ask('What is the weather?', { session_id })).text).toBe('From the house');
    const { dataDir } = server;
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: local.url, ...cloud.env }, dataDir);
    expect(await ask('What is the weather?', { session_id })).toMatchObject({
      text: 'From the house',
      detail: { receipt: { decision: { findings: ['iban'] } } },
    });
    const { messages } = (await call('GET', `/sessions/${session_id}/messages`)).body as { messages: Json[] };
    expect(messages[0].labels).toEqual(['iban']);
    expect((await ask('What is the weather?', { session_id: newSession() })).text).toBe('From the cloud');
    expect(cloud.everything()).toContain('What is the weather?');
    expect(cloud.everything()).not.toContain('1090 1014');
  });

  it('keeps local what is whole only with the message before, masked or not', async () => {
    for (const SENSITIVE_DATA_MASKING of ['false', 'true']) {
      await start({ SENSITIVE_DATA_MASKING });
      await activate('openai');
      const session_id = newSession();
      expect((await ask('The first half is 4111 1111', { session_id })).text).toBe('From the cloud');
      expect((await ask('1111 1111 is the second', { session_id })).text).toBe('From the house');
      expect((await ask('Thanks', { session_id })).text).toBe('From the house');
      expect(cloud.requests).toHaveLength(1);
      if (SENSITIVE_DATA_MASKING === 'false') await Promise.all([server.close(), cloud.close(), local.close()]);
    }
  });

  it.each([
    ['a name in a schema', { properties: { 'anna.k@example.com': { type: 'string' } } }],
    ['a number in a schema', { properties: { card: { type: 'number', default: 4111111111111111 } } }],
  ])('reads %s before it leaves', async (_where, schema) => {
    await start({ AI_MODE: 'HYBRID' });
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const parameters = { type: 'object', ...schema };
    const asked = client.chat.completions.create({
      model: 'gpt-4o',
      tools: [{ type: 'function', function: { name: 'pay', parameters } }],
      messages: [{ role: 'user', content: 'How is the weather?' }],
    });
    await expect(asked).rejects.toMatchObject({ status: 403, code: 'sensitive_blocked' });
    expect(cloud.requests).toHaveLength(0);
  });

  it('labels a session by what a local model said in it', async () => {
    await start();
    const session_id = newSession();
    local.behaviour = streams(['Ask anna', '@example.com about the key']);
    await ask('Who knows?', { session_id });
    local.behaviour = streams(['From ', 'the ', 'house']);
    // So that the answer does not go along any more.
    for (let turn = 0; turn < 3; turn += 1) await ask('x'.repeat(3_000), { session_id });
    await activate('openai');
    expect(await ask('Hello', { session_id })).toMatchObject({
      text: 'From the house',
      detail: { receipt: { decision: { findings: ['email'] } } },
    });
    expect(cloud.requests).toHaveLength(0);
  });

  it('does not weigh the words of a model when a conversation is summed up', async () => {
    await start();
    const session_id = newSession();
    local.behaviour = streams(['The key to a good password is patience. ', 'x'.repeat(3_000)]);
    for (let turn = 0; turn < 3; turn += 1) await ask('Tell me something', { session_id });
    // The first turn's work is done by then; what follows a task comes anew.
    const { task_id } = (await call('POST', '/tasks', { content: 'Tell me more', session_id })).body;
    await vi.waitFor(
      async () => expect((await call('GET', `/tasks/${task_id}`)).body['status']).toBe('COMPLETED'),
      5_000,
    );
    await vi.waitFor(
      async () => expect((await call('GET', `/memory/session/${session_id}`)).body['summary']).not.toBeNull(),
      5_000,
    );
    expect((await call('GET', `/sessions/${session_id}/labels`)).body['labels']).toEqual([]);
  });

  it('lets go of a label on a word with a reason, keeps that beside the receipts, and goes on reading what leaves', async () => {
    await start();
    const session_id = newSession();
    await ask(`Remember ${IBAN}`, { session_id });
    await activate('openai');
    expect((await ask('Hello', { session_id })).text).toBe('From the house');
    const release = (body: object) => call('POST', `/sessions/${session_id}/labels/release`, body);
    expect((await call('GET', `/sessions/${session_id}/labels`)).body).toEqual({
      session_id,
      labels: ['iban'],
      found_in: [{ seq: 1, labels: ['iban'] }],
      releases: [],
    });
    expect((await release({})).status).toBe(422);
    expect((await release({ reason: '  ' })).status).toBe(422);
    expect((await release({ reason: 'not there', labels: ['email'] })).status).toBe(409);

    // While the message is there it is found again, and the label returns.
    expect((await release({ reason: 'a test account' })).body['labels']).toEqual([]);
    expect((await ask('Hello', { session_id })).text).toBe('From the house');
    expect(cloud.everything()).not.toContain('1090 1014');
    expect((await call('GET', `/sessions/${session_id}/labels`)).body['labels']).toEqual(['iban']);

    await call('POST', `/sessions/${session_id}/truncate`, { from_seq: 1 });
    expect((await ask('Hello', { session_id })).text).toBe('From the house');
    const { body } = await release({ reason: 'the message is gone', labels: ['iban'] });
    expect(body).toMatchObject({ labels: [], found_in: [] });
    expect((await ask('Hello', { session_id })).text).toBe('From the cloud');
    expect((await call('GET', `/receipts?session_id=${session_id}`)).body['label_releases']).toEqual([
      { labels: ['iban'], reason: 'a test account', released_at: expect.stringMatching(/Z$/) },
      { labels: ['iban'], reason: 'the message is gone', released_at: expect.stringMatching(/Z$/) },
    ]);
    expect(JSON.stringify((await call('GET', `/sessions/${session_id}/export`)).body)).toContain('the message is gone');
    expect((await release({ reason: 'again' })).status).toBe(409);
    expect((await call('GET', '/sessions/nobody/labels')).status).toBe(404);
    await call('DELETE', `/sessions/${session_id}`);
    await ask('Hello', { session_id });
    expect((await call('GET', `/sessions/${session_id}/labels`)).body['releases']).toEqual([]);
  });

  it('lets a local model name the session, whoever answers in it', async () => {
    await start({ LLM_MODEL_NAME: 'house-7b' });
    local.models.push({ id: 'house-7b' });
    local.behaviour = streams(['„Mond und ', 'Gezeiten“']);
    await activate('openai');
    const session_id = newSession();
    expect((await ask('Wie entstehen Ebbe und Flut?', { session_id })).text).toBe('From the cloud');
    await vi.waitFor(
      async () =>
        expect((await call('GET', `/sessions/${session_id}`)).body).toMatchObject({ title: 'Mond und Gezeiten' }),
      5_000,
    );
    expect(cloud.requests).toHaveLength(1);
    expect(local.requests).toHaveLength(1);
    await call('PATCH', `/sessions/${session_id}`, { title: 'Mine' });
    await ask('Und die Sonne?', { session_id });
    expect((await call('GET', `/sessions/${session_id}`)).body).toMatchObject({ title: 'Mine' });
  });

  it('sends nothing labelled at a retry or a fallback either', async () => {
    await start({ AI_MODE: 'HYBRID' });
    await call('POST', '/system/cost-mode', { enable: true });
    await call('PUT', '/routing/policy', {
      policy: {
        kind: 'fallback',
        nodes: [
          { kind: 'single', target: { where: 'local' } },
          { kind: 'single', target: { where: 'cloud', provider: 'openai' } },
          { kind: 'single', target: { where: 'cloud', provider: 'google' } },
        ],
      },
    });
    local.behaviour = (_body, response) => {
      response.writeHead(500);
      response.end();
    };
    cloud.fault = ({ provider }, response) => {
      if (provider === 'google') return false;
      response.writeHead(503, { 'retry-after': '0' });
      response.end();
      return true;
    };
    const harmless = await ask('Hello');
    expect(harmless.text).toBe('From the cloud');
    expect(harmless.detail['receipt'].attempts.map((attempt: Json) => [attempt.provider, attempt.outcome])).toEqual([
      ['openai-compatible', 'failed'],
      ['openai', 'failed'],
      ['openai', 'failed'],
      ['openai', 'failed'],
      ['google', 'ok'],
    ]);
    expect(harmless.detail['routing_decision']).toMatchObject({ provider: 'google', fallback_applied: true });
    const before = cloud.requests.length;
    const sensitive = await ask(`Transfer to ${IBAN}`);
    expect(sensitive.events?.at(-1)?.event).toBe('error');
    expect(cloud.requests).toHaveLength(before);
    expect(cloud.everything()).not.toContain('1090 1014');
  });

  it('says so with a code where no local model could answer', async () => {
    await start({ LLM_LOCAL_ENDPOINT: '' });
    await activate('openai');
    expect((await ask('Hello')).text).toBe('From the cloud');
    const refused = await ask(`Transfer to ${IBAN}`);
    expect(refused.status).toBe(403);
    expect(refused.error).toMatchObject({ code: 'sensitive_blocked', details: { findings: ['iban'] } });
    expect(JSON.stringify(refused.error)).not.toContain('1090');
  });

  it('masks where the settings allow it, and puts the values back wherever the stream cuts them', async () => {
    await start({ SENSITIVE_DATA_MASKING: 'true' });
    await activate('openai');
    const session_id = newSession();
    cloud.answer = () => ['Sent to [EM', 'AIL_', '1] from ', '[IBAN_1', '].'];
    const { text, detail } = await ask(`Send anna.k@example.com my account ${IBAN}`, { session_id });
    expect(text).toBe(`Sent to anna.k@example.com from ${IBAN}.`);
    expect(detail['receipt'].masked).toEqual([
      { kind: 'email', count: 1 },
      { kind: 'iban', count: 1 },
    ]);
    // The next turn takes the stored history along, masked as well.
    cloud.answer = () => ['Yes'];
    expect((await ask('Thanks', { session_id })).text).toBe('Yes');
    expect(cloud.everything()).toContain('Send [EMAIL_1] my account [IBAN_1]');
    expect(cloud.everything()).not.toMatch(/anna\.k|1090/);
    // A word alone cannot be taken out.
    expect((await ask('What is my password?', { session_id })).text).toBe('From the house');
  });

  it('keeps keys and questions out of the log when a cloud fails', async () => {
    await start({ LLM_LOCAL_ENDPOINT: '' });
    await activate('openai');
    cloud.fault = ({ body }, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ error: { message: `wrong key ${OPENAI_KEY} for ${body}`, code: 'invalid_api_key' } }),
      );
      return true;
    };
    const { events, detail } = await ask('A canary sings');
    expect(events?.at(-1)?.data).toMatchObject({ message: 'openai answered HTTP 401 (invalid_api_key).' });
    expect(JSON.stringify(detail)).not.toContain(OPENAI_KEY);
    expect(detail['receipt'].attempts).toHaveLength(1);
  });

  it('keeps the part that came when a cloud breaks off', async () => {
    await start();
    await activate('openai');
    cloud.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ role: 'assistant', content: 'Half an ans' }));
      setTimeout(() => response.destroy(), 50);
      return true;
    };
    const session_id = newSession();
    const { text, events } = await ask('Hello', { session_id });
    expect(text).toBe('Half an ans');
    expect(events?.at(-1)).toMatchObject({ event: 'error', data: { code: 'llm_connection_error' } });
    const { messages } = (await call('GET', `/sessions/${session_id}/messages`)).body as { messages: Json[] };
    expect(messages[1]).toMatchObject({ content: 'Half an ans', status: 'failed' });
    expect(messages[1].receipt.attempts).toMatchObject([{ outcome: 'failed', error: 'upstream_reset' }]);
    expect(local.requests).toHaveLength(0);
  });
});

describe('the APIs of others', () => {
  it('are routed, accounted for and kept in the house too', async () => {
    await start();
    await activate('openai');
    const message = async (content: string) => {
      const response = await fetch(`${server.url}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4o', max_tokens: 50, messages: [{ role: 'user', content }] }),
      });
      const body = (await response.json()) as Json;
      const detail = (await call('GET', `/history/requests/${response.headers.get('x-request-id')}`)).body;
      return { text: body.content?.[0]?.text, receipt: detail['receipt'] };
    };
    expect(await message('Hello')).toMatchObject({
      text: 'From the cloud',
      receipt: { attempts: [{ provider: 'openai', outcome: 'ok' }] },
    });
    expect(await message(`Transfer to ${IBAN}`)).toMatchObject({
      text: 'From the house',
      receipt: { decision: { reason_code: 'sensitive_content_override' } },
    });
    expect(cloud.requests).toHaveLength(1);
  });

  it('stand in the description of the API together with the policy, which is a tree', async () => {
    await start();
    const response = await fetch(`${server.url}/openapi.json`);
    expect(response.status).toBe(200);
    const { paths } = (await response.json()) as Json;
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/api/v1/routing/policy', '/api/v1/routing/explain']));
  });
});

describe('one that is dead', () => {
  const google = { kind: 'single', target: { where: 'cloud', provider: 'google' } };
  const openai = { kind: 'single', target: { where: 'cloud', provider: 'openai' } };
  const house = { kind: 'single', target: { where: 'local' } };

  it('takes neither the other cloud nor the house with it, is left alone for a while, and is back with a new key', async () => {
    await start({ AI_MODE: 'HYBRID', UPSTREAM_CIRCUIT_FAILURES: '3' });
    await call('POST', '/system/cost-mode', { enable: true });
    await call('PUT', '/routing/policy', { policy: { kind: 'fallback', nodes: [openai, google, house] } });
    let dead = true;
    cloud.fault = ({ provider }, response) => {
      if (provider === 'google' || !dead) return false;
      response.writeHead(500, { 'retry-after': '0' });
      response.end();
      return true;
    };
    const providers = () => cloud.requests.map(({ provider }) => provider);
    for (let turn = 0; turn < 2; turn += 1) expect((await ask('Hello')).text).toBe('From the cloud');
    // Three tries, and two more: the fifth failure in a row is the last.
    expect(providers().filter((provider) => provider === 'openai')).toHaveLength(5);
    for (let turn = 0; turn < 3; turn += 1) {
      const { text, detail } = await ask('Hello');
      expect(text).toBe('From the cloud');
      expect(detail['receipt'].attempts.map((attempt: Json) => attempt.provider)).toEqual(['google']);
    }
    expect(providers().filter((provider) => provider === 'openai')).toHaveLength(5);
    const { providers: listed } = (await call('GET', '/providers')).body;
    expect(listed.slice(-2).map((one: Json) => [one.name, one.connection_status])).toEqual([
      ['openai', 'degraded'],
      ['google', 'unknown'],
    ]);
    await call('PUT', '/routing/policy', { policy: house });
    expect((await ask('Hello')).text).toBe('From the house');
    await call('PUT', '/routing/policy', { policy: openai });
    dead = false;
    await call('PUT', '/providers/openai/key', { key: OPENAI_KEY });
    expect((await ask('Hello')).text).toBe('From the cloud');
    expect(providers().at(-1)).toBe('openai');
  });

  it('is the house, and the clouds answer on', async () => {
    await start({ AI_MODE: 'HYBRID', UPSTREAM_CIRCUIT_FAILURES: '3' });
    await call('POST', '/system/cost-mode', { enable: true });
    await call('PUT', '/routing/policy', { policy: { kind: 'fallback', nodes: [house, google] } });
    local.behaviour = (_body, response) => {
      response.writeHead(500);
      response.end();
    };
    for (let turn = 0; turn < 12; turn += 1) expect((await ask('Hello')).text).toBe('From the cloud');
    expect(cloud.requests).toHaveLength(12);
    await call('PUT', '/routing/policy', { policy: openai });
    expect((await ask('Hello')).text).toBe('From the cloud');
  });
});

describe('tasks', () => {
  async function task(content: string, changes: Record<string, unknown> = {}) {
    const { task_id } = (await call('POST', '/tasks', { content, ...changes })).body;
    await vi.waitFor(
      async () => expect(['COMPLETED', 'FAILED']).toContain((await call('GET', `/tasks/${task_id}`)).body['status']),
      { timeout: 5_000 },
    );
    const detail = (await call('GET', `/history/requests/${task_id}`)).body;
    return { result: (await call('GET', `/tasks/${task_id}`)).body['result'], detail };
  }

  it('are routed, accounted for and kept in the house like questions of Direct mode', async () => {
    await start();
    await activate('openai');
    const session_id = newSession();
    const harmless = await task('Tell me a joke', { session_id });
    expect(harmless.result).toBe('From the cloud');
    expect(harmless.detail).toMatchObject({
      llm_provider: 'openai',
      routing_decision: { provider: 'openai', reason_code: 'user_preference', decision_timestamp: expect.any(String) },
      receipt: { attempts: [{ provider: 'openai', location: 'cloud', outcome: 'ok' }] },
    });
    expect(harmless.detail['receipt'].cost_usd).toBeGreaterThan(0);
    const { receipts } = (await call('GET', `/receipts?session_id=${session_id}`)).body as { receipts: Json[] };
    expect(receipts).toHaveLength(1);
    const sent = cloud.requests.length;
    const sensitive = await task(`Tell me a joke about ${IBAN}`, { session_id });
    expect(sensitive.result).toBe('From the house');
    expect(sensitive.detail['routing_decision']).toMatchObject({ reason_code: 'sensitive_content_override' });
    expect((await task('Tell me another joke', { session_id })).result).toBe('From the house');
    expect(cloud.requests).toHaveLength(sent);
    expect(cloud.everything()).not.toContain('1090 1014');
  });

  it('tell where a fallback ended, in the task too', async () => {
    await start();
    await activate('openai');
    cloud.fault = (_request, response) => {
      response.writeHead(401);
      response.end();
      return true;
    };
    const { result, detail } = await task('Tell me a joke');
    expect(result).toBe('From the house');
    expect(detail).toMatchObject({
      llm_provider: 'openai-compatible',
      routing_decision: {
        reason_code: 'fallback_auth_error',
        fallback_applied: true,
        error_message: 'upstream_rejected',
      },
    });
  });
});

describe('what it may cost', () => {
  it('never goes past the limit with 50 questions at once', async () => {
    // gpt-4o with 100 output tokens: a little more than 0.001 USD each.
    await start({ CLOUD_BUDGET_HARD_USD_PER_DAY: '0.01' });
    await activate('openai');
    // Nobody is done before everybody has been decided on, so that all reservations stand side by side.
    cloud.fault = async () => {
      await vi.waitFor(() => expect(cloud.requests.length + local.requests.length).toBe(50), { timeout: 20_000 });
      return false;
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('Hello', { max_tokens: 100 })));
    const paid = answers.filter(({ text }) => text === 'From the cloud');
    expect(answers.every(({ text }) => text === 'From the cloud' || text === 'From the house')).toBe(true);
    expect(paid.length).toBeGreaterThan(3);
    expect(paid.length).toBeLessThanOrEqual(10);
    expect(cloud.requests).toHaveLength(paid.length);
    const { budget } = (await call('GET', '/system/cost-mode')).body;
    expect(budget.spent_today_usd).toBeCloseTo((paid.length * (10 * 0.0025 + 5 * 0.01)) / 1_000, 9);
    const codes = answers.map(({ detail }) => detail['routing_decision'].reason_code);
    expect(codes.some((code) => code === 'fallback_budget_exceeded' || code === 'policy_blocked_budget')).toBe(true);
  });

  it('does not ask a model whose price nobody knows', async () => {
    await start();
    cloud.models.openai.push('gpt-mystery');
    await activate('openai', 'gpt-mystery');
    const { text, detail } = await ask('Hello');
    expect(text).toBe('From the house');
    expect(detail['routing_decision'].reason_code).toBe('policy_blocked_budget');
    expect(cloud.requests).toHaveLength(0);
  });

  it('counts requests of a minute', async () => {
    await start({ CLOUD_REQUESTS_PER_MINUTE: '2' });
    await activate('openai');
    const texts = [];
    for (let turn = 0; turn < 3; turn += 1) texts.push((await ask('Hello')).text);
    expect(texts).toEqual(['From the cloud', 'From the cloud', 'From the house']);
  });

  it('waits as long as the provider asks, and goes elsewhere when that is too long', async () => {
    await start();
    await activate('openai');
    let calls = 0;
    cloud.fault = (_request, response) => {
      calls += 1;
      if (calls > 1) return false;
      response.writeHead(429, { 'retry-after': '0' });
      response.end();
      return true;
    };
    expect((await ask('Hello')).text).toBe('From the cloud');
    expect(calls).toBe(2);
    cloud.fault = (_request, response) => {
      response.writeHead(429, { 'retry-after': '3600' });
      response.end();
      return true;
    };
    const { text, detail } = await ask('Hello');
    expect(text).toBe('From the house');
    expect(detail['routing_decision']).toMatchObject({ reason_code: 'fallback_rate_limit', fallback_applied: true });
  });
});

describe('keys', () => {
  it('takes a key, uses it, never shows it, and forgets it', async () => {
    await start({ OPENAI_API_KEY: '' });
    const key = 'sk-entered-by-hand-0123456789';
    expect((await call('PUT', '/providers/openai/key', { key })).body).toMatchObject({ key_source: 'file' });
    const file = join(server.dataDir, 'cloud-keys.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(key);
    await activate('openai');
    expect((await ask('Hello')).text).toBe('From the cloud');
    expect(cloud.requests[0]?.headers.authorization).toBe(`Bearer ${key}`);
    for (const path of ['/providers', '/system/settings', '/system/llm-runtime/options', '/system/info'])
      expect(JSON.stringify((await call('GET', path)).body)).not.toContain(key);
    const { providers } = (await call('GET', '/providers')).body;
    expect(providers.map(({ name, key_source }: Json) => [name, key_source])).toEqual([
      ['llama-cpp', null],
      ['openai-compatible', null],
      ['openai', 'file'],
      ['google', 'environment'],
    ]);
    await call('DELETE', '/providers/openai/key');
    expect(await ask('Hello')).toMatchObject({
      text: 'From the house',
      detail: { routing_decision: { reason_code: 'fallback_auth_error' } },
    });
    expect(readFileSync(file, 'utf8')).not.toContain(key);
    expect((await call('PUT', '/providers/openai/key', { key: 'a b' })).status).toBe(422);
    expect((await call('PUT', '/providers/azure/key', { key })).status).toBe(422);
  });
});
