// What reaches an Ollama of a request that is passed on, over the wire.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OllamaClient } from './ollama-client.js';
import { OllamaRuntime } from './ollama-runtime.js';

let server: Server;
let client: OllamaClient;
let runtime: OllamaRuntime;
let asked: { path: string; body: Record<string, unknown> }[];
let answer: { status: number; body: object };

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: { embeddings: [[1, 0]], prompt_eval_count: 2 } };
  server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    asked.push({ path: request.url ?? '', body: JSON.parse(text) });
    response.writeHead(answer.status).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new OllamaClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connectTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
  });
  runtime = new OllamaRuntime({ client, optional: false, keepAlive: '-1', options: {} });
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const signal = new AbortController().signal;
const forward = (body: object) => runtime.forward('/chat/completions', { model: 'm', messages: [], ...body }, signal);

describe('OllamaRuntime', () => {
  it('hands the limit on under the name Ollama reads', async () => {
    await forward({ max_completion_tokens: 7 });
    await forward({ max_tokens: 8 });
    await forward({ max_completion_tokens: null, max_tokens: 9 });
    expect(asked.map(({ body }) => [body['max_tokens'], body['max_completion_tokens']])).toEqual([
      [7, undefined],
      [8, undefined],
      [9, undefined],
    ]);
  });

  it('asks for one answer, and says so where several are wanted', async () => {
    await forward({ n: 1 });
    await expect(forward({ n: 2 })).rejects.toMatchObject({ code: 'unsupported' });
    expect(asked).toHaveLength(1);
  });

  it('has long texts cut only where that is wished for', async () => {
    await runtime.embed('m', ['a']);
    await runtime.embed('m', ['a'], signal, { truncate: true });
    expect(asked.map(({ body }) => body['truncate'])).toEqual([false, true]);
  });

  it('passes the length that is wanted on, and refuses token numbers, which Ollama does not take', async () => {
    await runtime.embed('m', ['a'], signal, { dimensions: 128 });
    expect(asked[0]?.body['dimensions']).toBe(128);
    await expect(runtime.embed('m', ['a', [1, 2]])).rejects.toMatchObject({ code: 'unsupported' });
    expect(asked).toHaveLength(1);
  });

  it('knows a model that is not there', async () => {
    answer = { status: 404, body: { error: 'model "m" not found' } };
    await expect(runtime.embed('m', ['a'])).rejects.toMatchObject({ code: 'model_not_found' });
  });
});
