// Models made of others with Ollama's own client, where an Ollama stands behind Venom.
import { Ollama } from 'ollama';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../stand-ins/ollama.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const operationsOf = async (server: TestServer) =>
  ((await (await fetch(`${server.url}/api/v1/models/operations`)).json()) as { operations: object[] }).operations;

describe('an Ollama behind Venom', () => {
  let ollama: FakeOllama;
  let server: TestServer;
  let client: Ollama;
  beforeAll(async () => {
    ollama = await startFakeOllama();
    server = await startServer({ OLLAMA_ENDPOINT: ollama.url, LLM_WARMUP_ON_STARTUP: 'false' });
    client = new Ollama({ host: server.url });
  });
  afterAll(async () => {
    await server.close();
    await ollama.close();
  });

  it('copies a model, as an operation', async () => {
    await client.copy({ source: 'small', destination: 'twin' });
    expect(ollama.requests.find(({ path }) => path === '/api/copy')?.body).toEqual({
      source: 'small:latest',
      destination: 'twin',
    });
    expect(await operationsOf(server)).toContainEqual(
      expect.objectContaining({ operation_type: 'copy', model_name: 'twin', status: 'completed' }),
    );
  });

  it('makes a model of another one, told line by line', async () => {
    const told: string[] = [];
    for await (const { status } of await client.create({
      model: 'pirate',
      from: 'small',
      system: 'You are a pirate.',
      parameters: { temperature: 0.2, stop: ['Arr'] },
      stream: true,
    }))
      told.push(status);
    expect(told.at(-1)).toBe('success');
    expect(ollama.requests.findLast(({ path }) => path === '/api/create')?.body).toEqual({
      model: 'pirate',
      from: 'small:latest',
      system: 'You are a pirate.',
      parameters: { temperature: 0.2, stop: ['Arr'] },
      stream: true,
    });
    expect((await client.list()).models.map(({ name }) => name)).toContain('pirate:latest');
    expect(await client.show({ model: 'pirate' })).toMatchObject({ details: { family: 'llama' } });
    expect(await client.create({ model: 'sailor', from: 'small', stream: false })).toEqual({ status: 'success' });
    expect(await operationsOf(server)).toContainEqual(
      expect.objectContaining({ operation_type: 'derive', model_name: 'sailor', status: 'completed' }),
    );
  });

  it('refuses what cannot be done, in the form its client reads', async () => {
    await expect(client.copy({ source: 'nowhere', destination: 'x' })).rejects.toMatchObject({ status_code: 404 });
    await expect(client.copy({ source: 'small', destination: '../x' })).rejects.toMatchObject({ status_code: 400 });
    await expect(client.create({ model: 'x', from: 'nowhere', stream: false })).rejects.toMatchObject({
      status_code: 404,
    });
    await expect(client.create({ model: 'x', stream: false })).rejects.toMatchObject({ status_code: 400 });
    const files = { 'a.gguf': `sha256:${'0'.repeat(64)}` };
    const uploads = { model: 'x', from: 'small', stream: false as const, ...{ files } };
    await expect(client.create(uploads)).rejects.toMatchObject({ status_code: 400 });
    await expect(client.push({ model: 'small', stream: false })).rejects.toMatchObject({ status_code: 400 });
    expect(ollama.requests.filter(({ path }) => path === '/api/push')).toEqual([]);
  });

  it('is not asked what a model can do before each answer whose thoughts nobody wants', async () => {
    const before = ollama.requests.length;
    const { status } = await fetch(`${server.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    });
    expect(status).toBe(200);
    const asked = ollama.requests.slice(before);
    expect(asked.find(({ path }) => path === '/api/chat')?.body).toMatchObject({ think: false });
    expect(asked.map(({ path }) => path)).not.toContain('/api/show');
  });

  it('says its version and what is in memory', async () => {
    expect(await client.version()).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect(await client.ps()).toEqual({ models: [] });
  });
});

it('is told where no engine here makes models of others', async () => {
  const upstream: FakeUpstream = await startFakeUpstream();
  const server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
  const client = new Ollama({ host: server.url });
  try {
    await expect(client.copy({ source: 'fake-model', destination: 'x' })).rejects.toThrow(/Ollama does/);
    await expect(client.create({ model: 'x', from: 'fake-model', stream: false })).rejects.toThrow(/Ollama does/);
  } finally {
    await server.close();
    await upstream.close();
  }
});
