// Models on servers that are not ours to load: tried by themselves where they answer, and what was found is told and gone by.
import { afterEach, describe, expect, it } from 'vitest';
import { startVllm, type VllmSays, type VllmStandIn } from '../stand-ins/vllm.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Message {
  role: string;
  content: string | { type: string; text?: string }[];
}
/** A model that can what the trial asks for, and sees pictures or lets them be refused. */
const able =
  (sees: boolean) =>
  (body: Record<string, unknown>): VllmSays => {
    const messages = body['messages'] as Message[];
    const content = messages.at(-1)?.content ?? '';
    const question = typeof content === 'string' ? content : (content.at(-1)?.text ?? '');
    if (typeof content !== 'string') {
      if (!sees) return { status: 400, message: 'base is not a multimodal model' };
      return JSON.stringify(content).includes('AAAAUElEQVR') ? 'Blue' : 'Red';
    }
    if (messages[0]?.role === 'system') return 'BANANA';
    if (body['response_format']) return '{"city":"Rome","sunny":true}';
    if (body['tools'] && /weather/.test(question)) return { call: 'get_weather', input: { city: 'Rome' } };
    if (/Poland/.test(question)) return 'Warsaw';
    if (/Polski/.test(question)) return 'Warszawa';
    if (/Österreich/.test(question)) return 'Wien';
    if (/secret/.test(question)) return '7391';
    return Array.from({ length: 20 }, (_, index) => `word${index} `).join('\u0000');
  };

async function vllm(sees = false): Promise<VllmStandIn> {
  const standIn = await startVllm();
  standIn.says = able(sees);
  closing.push(() => standIn.close());
  return standIn;
}
async function openAi(): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream();
  upstream.models.splice(0, upstream.models.length, { id: 'one' }, { id: 'two' });
  closing.push(() => upstream.close());
  return upstream;
}
async function start(env: Record<string, string>): Promise<TestServer> {
  const server = await startServer({ LLM_WARMUP_ON_STARTUP: 'false', MODEL_AUTO_PROBE: 'true', ...env });
  closing.push(() => server.close());
  await server.venom.prepare();
  return server;
}
const call = async (server: TestServer, path: string, body?: object) => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    ...(body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
interface Capabilities {
  supports_system_role: boolean;
  supports_function_calling: boolean;
  max_context_length: number;
  measured: {
    runtime: string;
    runtime_version: string | null;
    score: number;
    usable_context_tokens: number | null;
    takes_pictures: boolean | null;
    results: { name: string; status: string; reason: string | null }[];
  } | null;
}
const capabilities = async (server: TestServer, name: string) =>
  (await call(server, `/models/${name}/capabilities`)).body['capabilities'] as Capabilities;
const LONG = { timeout: 25_000, interval: 250 };
const tried = (server: TestServer, name: string) =>
  expect.poll(async () => (await capabilities(server, name)).measured, LONG).not.toBeNull();
const statuses = ({ measured }: Capabilities) =>
  Object.fromEntries((measured?.results ?? []).map(({ name, status }) => [name, status]));
const picture = (model: string) => ({
  model,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is it?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
      ],
    },
  ],
});

describe('the model that answers', () => {
  it('on vLLM is tried once by itself; what it can is told, and gone by where pictures and thoughts are asked for', async () => {
    const standIn = await vllm();
    const server = await start({ VLLM_ENDPOINT: standIn.url, LLM_MODEL_NAME: 'base' });
    await tried(server, 'base');
    const found = await capabilities(server, 'base');
    expect(found).toMatchObject({
      supports_system_role: true,
      supports_function_calling: true,
      max_context_length: 4_096,
      measured: { runtime: 'vllm', runtime_version: '0.15.1', score: 1, usable_context_tokens: 3_072 },
    });
    expect(statuses(found)).toEqual({
      answers: 'verified',
      system_role: 'verified',
      json_schema: 'verified',
      tool_call: 'verified',
      forced_tool: 'verified',
      languages: 'verified',
      thinking: 'skipped',
      vision: 'failed',
      context: 'verified',
    });
    const { body } = await call(server, '/models/base/runtime-capabilities');
    expect(body['runtime_capabilities']).toMatchObject({
      probe_status: 'verified',
      probes: {
        tools: { status: 'verified' },
        vision: { status: 'failed', reason: 'its engine takes no pictures' },
        thinking: { status: 'failed', reason: 'the engine does not say' },
      },
    });
    const asked = standIn.requests.length;
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(picture('base')),
    });
    expect([response.status, (await response.json()) as object]).toMatchObject([
      expect.any(Number),
      { error: { message: expect.stringContaining('does not see pictures') } },
    ]);
    expect(standIn.requests).toHaveLength(asked);
    // The adapter beside it was nobody's choice.
    expect((await capabilities(server, 'sql-lora')).measured).toBeNull();
    expect(new Set(standIn.requests.map(({ model }) => model))).toEqual(new Set(['base']));
  }, 40_000);

  it('that thinks aloud and sees is known to do both', async () => {
    const standIn = await vllm();
    const says = able(true);
    standIn.says = (body) => {
      const told = (body['chat_template_kwargs'] as { enable_thinking?: boolean } | undefined)?.enable_thinking;
      return told === false ? says(body) : { thought: 'Let me think about it.' };
    };
    const server = await start({ VLLM_ENDPOINT: standIn.url, LLM_MODEL_NAME: 'base' });
    await tried(server, 'base');
    expect(statuses(await capabilities(server, 'base'))).toMatchObject({
      thinking: 'verified',
      vision: 'verified',
      tool_call: 'verified',
      system_role: 'verified',
    });
    expect((await capabilities(server, 'base')).measured?.takes_pictures).toBe(true);
    expect((await call(server, '/models')).body['models']).toMatchObject([
      { name: 'base', measured_abilities: ['tools', 'vision', 'thinking'] },
      { name: 'sql-lora', measured_abilities: null },
    ]);
    const thinking = await fetch(`${server.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        model: 'base',
        max_tokens: 2_000,
        thinking: { type: 'enabled', budget_tokens: 1_024 },
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    });
    expect(thinking.status).toBe(200);
  }, 40_000);

  it('is not woken where its vLLM sleeps, and tried once it is awake', async () => {
    const standIn = await vllm();
    standIn.sleeping = true;
    const server = await start({ VLLM_ENDPOINT: standIn.url, LLM_MODEL_NAME: 'base' });
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    expect(standIn.requests).toEqual([]);
    expect(standIn.sleeping).toBe(true);
    // A person may ask for it at any time.
    const asked = await call(server, '/models/probe', { name: 'base', runtime: 'vllm' });
    expect(asked.status).toBe(200);
    await tried(server, 'base');
  }, 40_000);

  it('of a pool is tried, and of each member it is known that it stands in this house', async () => {
    const members = [await openAi(), await openAi()];
    for (const member of members) member.behaviour = streams(['BANANA ', 'Warsaw ', 'Warszawa ', 'Wien ', '7391']);
    const server = await start({
      LLM_LOCAL_ENDPOINT: members.map(({ url }) => url).join(', '),
      LLM_MODEL_NAME: 'one',
    });
    await tried(server, 'one');
    expect(statuses(await capabilities(server, 'one'))).toMatchObject({
      system_role: 'verified',
      languages: 'verified',
      json_schema: 'failed',
      tool_call: 'failed',
    });
    expect((await capabilities(server, 'one')).supports_function_calling).toBe(false);
    expect((await capabilities(server, 'two')).measured).toBeNull();
    const asked = members.flatMap(({ requests }) => requests.map(({ model }) => model));
    expect(new Set(asked)).toEqual(new Set(['one']));
    // One trial, not one for each member.
    expect(asked.length).toBeLessThan(20);
  }, 40_000);

  it('on any other server is tried when another one is chosen, too, and its failures are told', async () => {
    const upstream = await openAi();
    const server = await start({ LLM_LOCAL_ENDPOINT: upstream.url, LLM_MODEL_NAME: 'one' });
    await tried(server, 'one');
    await call(server, '/models/switch', { name: 'two', runtime: 'openai-compatible' });
    await tried(server, 'two');
    const { body } = await call(server, '/models/operations?limit=10');
    expect(body['operations']).toMatchObject([
      { model_name: 'two', operation_type: 'probe', status: 'completed' },
      { model_name: 'one', operation_type: 'probe', status: 'completed' },
    ]);
  }, 60_000);
});
