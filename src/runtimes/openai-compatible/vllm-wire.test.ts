// vLLM's own additions to OpenAI's wire, as its documentation shows them.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OpenAiCompatibleRuntime } from './openai-compatible-runtime.js';

let server: Server;
let runtime: OpenAiCompatibleRuntime;
const bodies: Record<string, unknown>[] = [];

beforeEach(async () => {
  bodies.length = 0;
  server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/v1/models') {
      const model = { object: 'model', owned_by: 'vllm', root: '/models/base', max_model_len: 4_096 };
      const data = [
        { ...model, id: 'base', parent: null },
        { ...model, id: 'sql-lora', parent: 'base' },
      ];
      response.end(JSON.stringify({ object: 'list', data }));
      return;
    }
    let text = '';
    for await (const piece of request) text += piece;
    bodies.push(JSON.parse(text));
    const choices = [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }];
    response.end(JSON.stringify({ id: 'c', choices, usage: { prompt_tokens: 1, completion_tokens: 1 } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  runtime = new OpenAiCompatibleRuntime({
    provider: 'vllm',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    apiKey: '',
    connectTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
  });
});
afterEach(async () => {
  await runtime.close();
  await new Promise((resolve) => server.close(resolve));
});

it('knows the context of each model, and which are adapters of another', async () => {
  expect(await runtime.describeModel('base')).toMatchObject({ contextLength: 4_096, capabilities: ['completion'] });
  expect(await runtime.describeModel('sql-lora')).toMatchObject({
    family: 'base',
    capabilities: ['completion', 'adapter'],
  });
  expect(await runtime.describeModel('nope')).toBeNull();
});

it('calls the repeat penalty by its name, and leaves room for the prompt', async () => {
  await runtime.listModels();
  const batches = await runtime.streamBatches('base', {
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    maxOutputTokens: 4_000,
    providerOptions: { venom: { repeatPenalty: 1.2, stream: false } },
  });
  for await (const _batch of batches);
  expect(bodies[0]).toMatchObject({ max_tokens: 1_024, repetition_penalty: 1.2 });
  expect(bodies[0]).not.toHaveProperty('repeat_penalty');
});
