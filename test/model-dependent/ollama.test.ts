// Real Ollama and the whole server: a model from a local file, chat, memory, the switch between engines, removal.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ollama } from 'ollama';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OllamaClient } from '../../src/runtimes/ollama/ollama-client.js';
import { readEvents, startServer, type TestServer, textOf } from '../api/server.js';

const binary = process.env['OLLAMA_BINARY'] ?? '';
const file = process.env['VENOM_TEST_MODEL'] ?? '';
const NAME = 'smol:latest';
const EMBEDDED = 'SmolLM2-135M-Instruct-Q4_1';
let folder: string;
let ollama: ChildProcess;
let client: OllamaClient;
let server: TestServer;

const call = async (path: string, body?: object, method = body ? 'POST' : 'GET') => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const ask = (body: object) =>
  fetch(`${server.url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ temperature: 0, max_tokens: 40, ...body }),
  });

describe.skipIf(!binary)('real Ollama', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'venom-ollama-'));
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const baseUrl = `http://127.0.0.1:${port}`;
    ollama = spawn(binary, ['serve'], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        OLLAMA_HOST: `127.0.0.1:${port}`,
        OLLAMA_MODELS: join(folder, 'm'),
      },
      stdio: 'ignore',
    });
    client = new OllamaClient({ baseUrl, connectTimeoutMs: 2_000, idleTimeoutMs: 60_000 });
    await vi.waitFor(() => client.version(), { timeout: 20_000 });
    mkdirSync(join(folder, 'data', 'models'), { recursive: true });
    copyFileSync(file, join(folder, 'data', 'models', `${EMBEDDED}.gguf`));
    server = await startServer({ OLLAMA_ENDPOINT: baseUrl, LLM_WARMUP_ON_STARTUP: 'false' }, join(folder, 'data'));
  });
  afterAll(async () => {
    await server?.close();
    await client?.close();
    ollama?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes a model of a local file, with progress, and knows it', async () => {
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    const seen: number[] = [];
    await client.create(
      NAME,
      { path: file, sha256 },
      ({ receivedBytes }) => seen.push(receivedBytes),
      AbortSignal.timeout(60_000),
    );
    expect(Math.max(...seen)).toBe(98_362_432);
    const shown = await client.show(NAME);
    expect(shown.details?.quantization_level).toBe('Q4_1');
    await expect
      .poll(async () => ((await call('/models')).body['models'] as { name: string }[]).map(({ name }) => name), {
        timeout: 5_000,
      })
      .toEqual([EMBEDDED, NAME]);
  });

  it('answers, with its own options and keep-alive, and is seen in memory', async () => {
    const events = await readEvents(
      await ask({ content: 'What is the capital of France?', model: NAME, session_id: 'o' }),
    );
    expect(events.at(-1)?.event).toBe('done');
    expect(textOf(events)).toMatch(/Paris/);
    const { body } = await call('/models/loaded');
    expect(body['models']).toMatchObject([{ name: NAME, runtime: 'ollama', expires_at: null }]);
  });

  it("answers Ollama's own client through us, with options only it knows, and leaves memory when told so", async () => {
    const own = new Ollama({ host: server.url });
    const messages = [{ role: 'user', content: 'What is the capital of France?' }];
    const options = { temperature: 0, num_predict: 24, mirostat: 0, num_ctx: 1_024 };
    const lines = [];
    for await (const line of await own.chat({ model: 'smol', messages, options, stream: true })) lines.push(line);
    expect(lines.map(({ message }) => message.content).join('')).toMatch(/Paris/);
    expect(lines.at(-1)).toMatchObject({ done: true, eval_count: expect.any(Number) });
    expect((await own.show({ model: NAME })).details.quantization_level).toBe('Q4_1');
    await expect(own.chat({ model: NAME, messages, think: true })).rejects.toMatchObject({ status_code: 400 });
    await own.generate({ model: NAME, prompt: 'Hi', options: { num_predict: 2 }, keep_alive: 0 });
    await expect.poll(() => client.ps(), { timeout: 15_000 }).toEqual([]);
    expect(await own.generate({ model: NAME, prompt: '' })).toMatchObject({ done_reason: 'load' });
    expect(await client.ps()).toHaveLength(1);
  });

  it("shows itself to Ollama's own command line", async () => {
    const run = async (...args: string[]) => {
      const env = { PATH: process.env['PATH'], HOME: folder, OLLAMA_HOST: server.url };
      return (await promisify(execFile)(binary, args, { env, timeout: 60_000 })).stdout;
    };
    expect(await run('list')).toMatch(new RegExp(`${EMBEDDED}[\\s\\S]*${NAME}`));
    expect(await run('show', EMBEDDED)).toMatch(/llama[\s\S]*134\.52M[\s\S]*8192[\s\S]*576[\s\S]*Q4_1/);
    expect(await run('ps')).toContain(NAME);
    await run('stop', NAME);
    expect(await client.ps()).toEqual([]);
  });

  it('is tried before it answers, and what it can do is kept', async () => {
    const answer = await call('/models/activate', { name: NAME, runtime: 'ollama' });
    expect(answer).toMatchObject({ status: 200, body: { runtime: { provider: 'ollama', model: NAME } } });
    const { body } = await call(`/models/${encodeURIComponent(NAME)}/capabilities`);
    expect(body).toMatchObject({ capabilities: { max_context_length: 8_192, measured: { runtime: 'ollama' } } });
  });

  it('hands over to the embedded engine while an answer goes on, and the answer ends well', async () => {
    const running = ask({ content: 'Count to one hundred.', model: NAME, session_id: 'p', max_tokens: 60 }).then(
      (response) => readEvents(response),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startedAt = performance.now();
    const switched = await call('/system/llm-servers/active', { server_name: 'llama-cpp' });
    expect(switched).toMatchObject({
      status: 200,
      body: { active_server: 'llama-cpp', lifecycle_state: { is_complete: true } },
    });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect((await running).at(-1)?.event).toBe('done');
    // Its memory is free as soon as it has finished what it was saying.
    await expect.poll(() => client.ps(), { timeout: 15_000 }).toEqual([]);
    const unknown = await call('/system/llm-servers/active', {
      server_name: 'ollama',
      model: 'nope',
      exact_only: true,
    });
    expect(unknown.status).toBe(409);
    expect((await call('/system/llm-servers/active')).body['active_server']).toBe('llama-cpp');
  });

  it('takes over from the embedded engine without cutting what it says, and frees its memory then', async () => {
    const begun = Promise.withResolvers<void>();
    const running = readEvents(
      await ask({
        content: 'Write a very long story about the sea, with many chapters.',
        model: EMBEDDED,
        session_id: 'q',
        max_tokens: 900,
      }),
      (events) => {
        if (events.some(({ event }) => event === 'content')) begun.resolve();
        return false;
      },
    );
    let ended = false;
    void running.then(() => {
      ended = true;
    });
    await begun.promise;
    const switched = await call('/system/llm-servers/active', { server_name: 'ollama' });
    expect(switched).toMatchObject({ status: 200, body: { active_server: 'ollama' } });
    expect(ended).toBe(false);
    expect((await running).at(-1)?.event).toBe('done');
    await expect
      .poll(async () => (await call('/models/loaded')).body['models'], { timeout: 10_000 })
      .not.toContainEqual(expect.objectContaining({ runtime: 'llama-cpp' }));
  });

  it('frees its memory and is removed', async () => {
    await readEvents(await ask({ content: 'Hi', model: NAME, max_tokens: 4 }));
    expect(await client.ps()).toHaveLength(1);
    expect(await call('/models/unload-all', {})).toMatchObject({ status: 200 });
    expect(await client.ps()).toEqual([]);
    expect(await call('/models/switch', { name: EMBEDDED })).toMatchObject({ status: 200 });
    expect(await call(`/models/${encodeURIComponent(NAME)}`, undefined, 'DELETE')).toMatchObject({ status: 200 });
    expect(await client.listTags()).toEqual([]);
  });
});
