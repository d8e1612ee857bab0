// Model servers beside the embedded engine, through the whole server: vLLM as one and as a pool, llama.cpp's own server
// as a process, and what the contract says of `/system/llm-servers` and `/system/llm-runtime`.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVllm, type VllmStandIn, type VllmStandInOptions } from '../stand-ins/vllm.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

let folder: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-model-servers-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(env: Record<string, string>, place: Record<string, string> = {}): Promise<TestServer> {
  const server = await startServer({ LLM_WARMUP_ON_STARTUP: 'false', ...env }, undefined, place);
  closing.push(() => server.close());
  return server;
}
async function vllm(options?: VllmStandInOptions): Promise<VllmStandIn> {
  const standIn = await startVllm(options);
  closing.push(() => standIn.close());
  return standIn;
}
const call = async (server: TestServer, path: string, body?: object, method = body ? 'POST' : 'GET') => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
interface Listed {
  name: string;
  status: string;
  health: string | null;
  ownership: string;
  members: { endpoint: string; state: string; load: object | null; models: string[] }[] | null;
}
const listed = async (server: TestServer) =>
  (await call(server, '/system/llm-servers')).body['servers'] as unknown as Listed[];

describe('vLLM', () => {
  it('behind a key is well for who has it, and says what is wrong to who has not', async () => {
    const standIn = await vllm({ apiKey: 'secret' });
    const health = async (env: Record<string, string>) => {
      const server = await start({ VLLM_ENDPOINT: standIn.url, ...env });
      return (
        (await listed(server)) as unknown as { name: string; health: string; error_message: string | null }[]
      ).find(({ name }) => name === 'vllm');
    };
    expect(await health({ LLM_LOCAL_API_KEY: 'secret' })).toMatchObject({ health: 'online', error_message: null });
    expect(await health({})).toMatchObject({ health: 'offline', error_message: expect.stringContaining('401') });
  });

  it('lists adapters as adapters, answers, sleeps and wakes by the API', async () => {
    const standIn = await vllm();
    const server = await start({ VLLM_ENDPOINT: standIn.url });
    const { body } = await call(server, '/system/llm-runtime/options');
    const { runtimes, adapter_catalog } = body as unknown as {
      runtimes: { runtime_id: string; models: object[] }[];
      adapter_catalog: object;
    };
    expect(runtimes.find(({ runtime_id }) => runtime_id === 'vllm')?.models).toMatchObject([
      { name: 'base', model_kind: 'base_model', is_adapter_artifact: false },
      { name: 'sql-lora', model_kind: 'adapter_artifact', is_adapter_artifact: true },
    ]);
    const adapter = { adapter_id: 'sql-lora', runtime_id: 'vllm', base_model: 'base' };
    expect(adapter_catalog).toMatchObject({
      all_adapters: [adapter],
      by_runtime: { vllm: [adapter] },
      by_runtime_model: { 'vllm:base': [adapter] },
    });
    const asked = () =>
      fetch(`${server.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ content: 'Hi', model: 'sql-lora', max_tokens: 3_000, repeat_penalty: 1.3 }),
      });
    expect(textOf(await readEvents(await asked()))).toBe('Hello from vLLM');
    expect(standIn.requests.at(-1)).toMatchObject({ model: 'sql-lora', max_tokens: 1_024, repetition_penalty: 1.3 });
    expect((await call(server, '/models/unload', { name: 'base' })).status).toBeLessThan(300);
    await expect.poll(() => standIn.sleeping).toBe(true);
    await expect.poll(async () => (await call(server, '/models/loaded')).body['models']).toEqual([]);
    expect(textOf(await readEvents(await asked()))).toBe('Hello from vLLM');
    expect(standIn.sleeping).toBe(false);
  });

  it('as a pool: the server with less to do answers, and each shows its load', async () => {
    const [busy, idle] = [await vllm(), await vllm()];
    busy.load = { running: 12, waiting: 3, kvCacheUsage: 0.9 };
    const server = await start({ VLLM_ENDPOINT: `${busy.url},${idle.url}` });
    const ask = async () =>
      textOf(
        await readEvents(
          await fetch(`${server.url}/api/v1/llm/simple/stream`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ content: `Question ${Math.random()}`, model: 'base' }),
          }),
        ),
      );
    await ask();
    await expect
      .poll(async () => (await listed(server)).find(({ name }) => name === 'vllm')?.members?.map(({ load }) => load))
      .toEqual([
        { running: 12, waiting: 3, kv_cache_usage: 0.9 },
        { running: 0, waiting: 0, kv_cache_usage: 0.25 },
      ]);
    const before = busy.requests.length;
    for (let count = 0; count < 5; count += 1) expect(await ask()).toBe('Hello from vLLM');
    expect(busy.requests.length).toBe(before);
    expect(idle.requests.length).toBeGreaterThanOrEqual(5);
    const members = (await listed(server)).find(({ name }) => name === 'vllm')?.members;
    expect(members).toMatchObject([
      { endpoint: busy.url, state: 'in-service', models: ['base', 'sql-lora'] },
      { endpoint: idle.url, state: 'in-service', models: ['base', 'sql-lora'] },
    ]);
    await idle.close();
    expect(await ask()).toBe('Hello from vLLM');
    const [item] = (await listed(server)).filter(({ name }) => name === 'vllm');
    expect(item).toMatchObject({ health: 'degraded', members: [{ state: 'in-service' }, { state: 'excluded' }] });
  });
});

describe("llama.cpp's own server", () => {
  it('is started from its command, answers by its wire, shows its log, and ends with us', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const script = join(folder, 'llama-server.cjs');
    writeFileSync(
      script,
      `
const wire = {
  '/health': { status: 'ok' },
  '/v1/models': { object: 'list', data: [{ id: 'tiny.gguf', object: 'model', owned_by: 'llamacpp', meta: { n_ctx: 2048 } }] },
};
require('node:http').createServer((request, response) => {
  if (request.url === '/v1/chat/completions') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: ' + JSON.stringify({ choices: [{ index: 0, delta: { content: 'llama' }, finish_reason: null }] }) + '\\n\\n');
    response.write('data: ' + JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) + '\\n\\n');
    return response.end('data: [DONE]\\n\\n');
  }
  const body = wire[request.url];
  response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
}).listen(${port}, '127.0.0.1', () => console.log('main: server is listening'));
`,
    );
    const server = await start({
      LLAMA_SERVER_COMMAND: `${process.execPath} "${script}"`,
      LLAMA_SERVER_PORT: String(port),
    });
    expect((await listed(server)).find(({ name }) => name === 'llama-cpp-server')).toMatchObject({
      status: 'inactive',
      health: 'offline',
      ownership: 'none',
      // Nothing was written yet.
      has_log: false,
    });
    const switched = await call(server, '/system/llm-servers/active', { server_name: 'llama-cpp-server' });
    expect(switched).toMatchObject({
      status: 200,
      body: { active_server: 'llama-cpp-server', active_model: 'tiny.gguf', start_result: { ok: true } },
    });
    expect((await listed(server)).find(({ name }) => name === 'llama-cpp-server')).toMatchObject({
      status: 'online',
      health: 'online',
      ownership: 'ours',
      has_log: true,
    });
    const answer = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Hi' }),
    });
    expect(textOf(await readEvents(answer))).toBe('llama');
    const logs = await call(server, '/system/llm-servers/llama-cpp-server/logs');
    expect(logs.body['text']).toContain('server is listening');
    await call(server, '/system/llm-servers/llama-cpp-server/stop', {});
    // What it wrote is kept for whoever asks why it ended.
    expect((await listed(server)).find(({ name }) => name === 'llama-cpp-server')).toMatchObject({
      status: 'offline',
      has_log: true,
    });
    await server.venom.close();
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  }, 20_000);
});

describe('the contract', () => {
  it('reports only the active server’s status, and every other as inactive', async () => {
    const standIn = await vllm();
    const server = await start({ VLLM_ENDPOINT: standIn.url, OLLAMA_ENDPOINT: 'http://127.0.0.1:9' });
    await call(server, '/models/switch', { name: 'base' });
    const all = await listed(server);
    expect(all.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'llama-cpp inactive',
      'ollama inactive',
      'vllm online',
    ]);
    expect(all.find(({ name }) => name === 'ollama')?.health).toBe('offline');
  });

  it('answers an action on what is no server with 400, on one that is not here with 404, on one kept off with 403', async () => {
    const program = join(folder, 'vllm');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    const server = await start({}, { PATH: folder });
    expect((await call(server, '/system/llm-servers/nonsense/start', {})).status).toBe(400);
    expect((await call(server, '/system/llm-servers/ollama/start', {})).status).toBe(404);
    expect(await call(server, '/system/llm-servers/vllm/start', {})).toMatchObject({
      status: 403,
      body: {
        code: 'forbidden',
        detail: {
          decision: 'block',
          reason_code: 'PERMISSION_DENIED',
          user_message: expect.any(String),
          technical_context: { operation: 'runtime.start', server_name: 'vllm', runtime_profile: 'light' },
          tags: expect.any(Array),
        },
      },
    });
    expect((await call(server, '/system/llm-servers/active', { server_name: 'vllm' })).status).toBe(403);
    expect((await listed(server)).map(({ name }) => name)).toEqual(['llama-cpp']);
    const { runtimes } = (await call(server, '/system/llm-runtime/options')).body as unknown as {
      runtimes: { runtime_id: string; reason: string }[];
    };
    expect(runtimes.find(({ runtime_id }) => runtime_id === 'vllm')?.reason).toBe('runtime_disabled_by_profile');
    const full = await start({ VENOM_RUNTIME_PROFILE: 'full' }, { PATH: folder });
    expect((await listed(full)).map(({ name }) => name)).toEqual(['llama-cpp', 'vllm']);
    const off = await start({ VENOM_RUNTIME_PROFILE: 'llm_off', VLLM_ENDPOINT: 'http://127.0.0.1:9' });
    expect((await call(off, '/system/llm-servers/vllm/stop', {})).status).toBe(403);
  });

  it('shows what goes out to each server', async () => {
    const standIn = await vllm();
    const server = await start({ VLLM_ENDPOINT: standIn.url });
    await call(server, '/models');
    // Questions of a page may still be on their way.
    await expect
      .poll(async () => (await call(server, '/system/llm-runtime/queue-snapshot')).body)
      .toMatchObject({
        status: 'success',
        traffic: {
          error: null,
          scopes: {
            [`vllm@${standIn.url}`]: {
              in_flight: 0,
              failures: 0,
              retries: 0,
              refused: 0,
              circuit: { state: 'closed', failures_in_a_row: 0, open_until: null },
              last_error: null,
            },
          },
        },
      });
  });

  it('refuses a start that has several wrong addresses in it, and names the setting', async () => {
    await expect(startServer({ VLLM_ENDPOINT: 'http://a:1, ftp://b' })).rejects.toMatchObject({
      code: 'invalid_settings',
      message: expect.stringContaining('VLLM_ENDPOINT'),
    });
  });
});
