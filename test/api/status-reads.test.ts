// Pages that are polled: they wait for nobody who hangs, and open no connection to a cloud.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './server.js';

let silent: Server;
let asked: string[];
let server: TestServer;

beforeAll(async () => {
  asked = [];
  silent = createServer((request) => void asked.push(request.url ?? ''));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  server = await startServer({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_CHAT_COMPLETIONS_ENDPOINT: `${base}/cloud/chat/completions`,
    OPENAI_API_TIMEOUT: '1',
    OLLAMA_ENDPOINT: `${base}/ollama`,
  });
});
afterAll(async () => {
  silent.closeAllConnections();
  silent.close();
  await server.close();
});

const timed = async (path: string) => {
  const startedAt = performance.now();
  const response = await fetch(`${server.url}/api/v1${path}`);
  return { body: (await response.json()) as Record<string, unknown>, ms: performance.now() - startedAt };
};

describe('a status page', () => {
  it.each(['/models', '/system/llm-servers', '/system/llm-servers/active', '/models/loaded'])(
    '%s is not kept waiting by a server that hangs',
    async (path) => {
      expect((await timed(path)).ms).toBeLessThan(4_000);
    },
  );

  it('names the cloud without asking it', async () => {
    const { body } = await timed('/system/llm-runtime/options');
    const targets = body['runtimes'] as { runtime_id: string; configured: boolean; models: object[] }[];
    expect(targets.find(({ runtime_id }) => runtime_id === 'openai')).toMatchObject({ configured: true });
    expect(asked.filter((url) => url.startsWith('/cloud'))).toEqual([]);
    const catalog = (await timed('/models/remote/catalog?provider=openai')).body;
    expect(catalog).toMatchObject({ source: 'static_fallback_error', error: 'no answer in time' });
    expect(asked.filter((url) => url.startsWith('/cloud'))).toEqual(['/cloud/models']);
  });
});
