// Two real Ollama servers as one pool, and the vLLM adapter on Ollama's OpenAI route.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OllamaClient } from '../../src/runtimes/ollama/ollama-client.js';
import { VllmClient } from '../../src/runtimes/vllm/vllm-client.js';
import { VllmRuntime } from '../../src/runtimes/vllm/vllm-runtime.js';
import { readEvents, startServer, type TestServer, textOf } from '../api/server.js';

const binary = process.env['OLLAMA_BINARY'] ?? '';
const file = process.env['VENOM_TEST_MODEL'] ?? '';
const NAME = 'smol:latest';
interface RealOllama {
  baseUrl: string;
  client: OllamaClient;
  process: ChildProcess;
}
let folder: string;
let servers: RealOllama[];
let venom: TestServer;

async function freePort(): Promise<number> {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  return port;
}

/** They share one store, as two machines with one network folder would. */
/** A killed Ollama leaves its runner, and that keeps the model in memory. */
function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
}

function run(port: number): ChildProcess {
  return spawn(binary, ['serve'], {
    detached: true,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      OLLAMA_HOST: `127.0.0.1:${port}`,
      OLLAMA_MODELS: join(folder, 'm'),
      OLLAMA_NUM_PARALLEL: '2',
    },
    stdio: 'ignore',
  });
}

async function startOllama(port: number): Promise<RealOllama> {
  const baseUrl = `http://127.0.0.1:${port}`;
  const client = new OllamaClient({ baseUrl, connectTimeoutMs: 2_000, idleTimeoutMs: 60_000 });
  const child = run(port);
  await vi.waitFor(() => client.version(), { timeout: 20_000, interval: 100 });
  return { baseUrl, client, process: child };
}

const ask = async (content: string, session_id?: string) => {
  const response = await fetch(`${venom.url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      content,
      model: NAME,
      temperature: 0,
      max_tokens: 4,
      ...(session_id ? { session_id } : {}),
    }),
  });
  const events = await readEvents(response);
  return { end: events.at(-1)?.event, text: textOf(events) };
};
interface Listed {
  name: string;
  health: string;
  placement: { session: number; moved_on: number };
  members: { endpoint: string; state: string; served: number; models: string[] }[];
}
const pool = async (): Promise<Listed> => {
  const { servers: all } = (await (await fetch(`${venom.url}/api/v1/system/llm-servers`)).json()) as {
    servers: Listed[];
  };
  return all.find(({ name }) => name === 'ollama') as Listed;
};

describe.skipIf(!binary)('two real Ollama servers', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'venom-pool-'));
    servers = await Promise.all([startOllama(await freePort()), startOllama(await freePort())]);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    await servers[0]?.client.create(NAME, { path: file, sha256 }, () => {}, AbortSignal.timeout(60_000));
    // Two servers on few cores collapse when each takes all of them.
    const parameters = { num_thread: 1, num_ctx: 1_024 };
    const made = await fetch(`${servers[0]?.baseUrl}/api/create`, {
      method: 'POST',
      body: JSON.stringify({ model: NAME, from: NAME, parameters, stream: false }),
    });
    expect(made.status).toBe(200);
    venom = await startServer({
      OLLAMA_ENDPOINT: servers.map(({ baseUrl }) => baseUrl).join(','),
      LLM_WARMUP_ON_STARTUP: 'false',
      POOL_BACKOFF_SECONDS: '0.5',
      POOL_PATIENCE_SECONDS: '1',
    });
  });
  afterAll(async () => {
    await venom?.close();
    for (const { client, process: child } of servers ?? []) {
      await client.close();
      killGroup(child);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('share the work, keep conversations, and show it', async () => {
    const answers = await Promise.all([ask('What is the capital of France?'), ask('What is the capital of Italy?')]);
    expect(answers.map(({ end }) => end)).toEqual(['done', 'done']);
    for (const { client } of servers) expect(await client.ps()).toMatchObject([{ name: NAME }]);
    await ask('Hello', 's');
    await ask('And again', 's');
    const { health, members, placement } = await pool();
    expect(health).toBe('online');
    expect(members.map(({ models }) => models)).toEqual([[NAME], [NAME]]);
    expect(members.every(({ served }) => served > 0)).toBe(true);
    expect(placement.session).toBeGreaterThan(0);
  });

  it('answer on while one of them is killed, and take it back', async () => {
    const [first, second] = servers as [RealOllama, RealOllama];
    killGroup(second.process);
    await new Promise((resolve) => second.process.once('exit', resolve));
    const answers = await Promise.all(Array.from({ length: 4 }, (_, index) => ask(`Say the number ${index}.`)));
    expect(answers.map(({ end }) => end)).toEqual(['done', 'done', 'done', 'done']);
    expect((await pool()).members.map(({ state }) => state)).toEqual(['in-service', 'excluded']);
    second.process = run(Number(new URL(second.baseUrl).port));
    await expect
      .poll(async () => (await pool()).members.map(({ state }) => state), { timeout: 30_000, interval: 300 })
      .toEqual(['in-service', 'in-service']);
    expect(await first.client.ps()).toHaveLength(1);
  });

  it('answer on while one of them is frozen, and take it back when it thaws', async () => {
    const [, second] = servers as [RealOllama, RealOllama];
    second.process.kill('SIGSTOP');
    try {
      const answers = await Promise.all(Array.from({ length: 3 }, (_, index) => ask(`Say the letter ${index}.`)));
      expect(answers.map(({ end }) => end)).toEqual(['done', 'done', 'done']);
      expect((await pool()).members.map(({ state }) => state)).toEqual(['in-service', 'excluded']);
    } finally {
      second.process.kill('SIGCONT');
    }
    await expect
      .poll(async () => (await pool()).members.map(({ state }) => state), { timeout: 30_000, interval: 300 })
      .toEqual(['in-service', 'in-service']);
  });

  it('speak a wire that the vLLM adapter understands, as far as it is OpenAI’s', async () => {
    const runtime = new VllmRuntime(
      new VllmClient({
        endpoint: `${servers[0]?.baseUrl}/v1`,
        apiKey: '',
        connectTimeoutMs: 2_000,
        idleTimeoutMs: 60_000,
      }),
    );
    try {
      expect(await runtime.listModels()).toMatchObject([{ name: NAME, provider: 'vllm' }]);
      const answer = await runtime.languageModel(NAME).doGenerate({
        prompt: [{ role: 'user', content: [{ type: 'text', text: 'What is the capital of France?' }] }],
        temperature: 0,
        maxOutputTokens: 20,
      });
      expect(answer.content).toMatchObject([{ type: 'text', text: expect.stringContaining('Paris') }]);
      expect(answer.usage.outputTokens.total).toBeGreaterThan(0);
      expect(await runtime.health()).toMatchObject({ state: 'online', details: { sleeping: null, version: null } });
      await expect(runtime.unload(NAME)).rejects.toMatchObject({ code: 'unsupported' });
      expect(await runtime.countTokens(NAME, 'one two')).toBeNull();
      await expect(
        runtime.streamBatches('nope', { prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }),
      ).rejects.toMatchObject({ code: 'model_not_found' });
    } finally {
      await runtime.close();
    }
  });

  it('hold nothing of ours in memory after the stop', async () => {
    await Promise.all([ask('One'), ask('Two'), ask('Three')]);
    expect((await Promise.all(servers.map(({ client }) => client.ps()))).flat().length).toBe(2);
    await venom.close({ keepData: false });
    for (const { client } of servers) expect(await client.ps()).toEqual([]);
  });
});
