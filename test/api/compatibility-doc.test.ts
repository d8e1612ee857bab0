// docs/api-compatibility.md says what the code says: every endpoint, and every field a request may have.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AnthropicRequest } from '../../src/contract/anthropic.js';
import { OllamaChatRequest, OllamaGenerateRequest } from '../../src/contract/ollama.js';
import { ResponseRequest } from '../../src/contract/responses.js';
import { startServer, type TestServer } from './server.js';

const DOC = readFileSync(join(resolve(import.meta.dirname, '..', '..'), 'docs', 'api-compatibility.md'), 'utf8');
let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** What stands in backticks in the first column of the table after `heading`. */
const fieldsAfter = (heading: string): string[] => {
  const table = /\n\|[\s\S]*?(?=\n\n|$)/.exec(DOC.slice(DOC.indexOf(heading)))?.[0] ?? '';
  return [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name as string);
};

it.each([
  ['## OpenAI Responses', ResponseRequest],
  ['## Anthropic Messages', AnthropicRequest],
  ['`/api/chat`:', OllamaChatRequest],
  ['`/api/generate`:', OllamaGenerateRequest],
])('%s names every field, and no other', (heading, schema) => {
  expect(fieldsAfter(heading).sort()).toEqual(Object.keys(schema.shape).sort());
});

it('names every endpoint, and no other', async () => {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const there = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/') || (path.startsWith('/api/') && !path.startsWith('/api/v1/')))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('{*}', '*')}`),
    );
  const documented = [...DOC.matchAll(/^\| (GET|POST|DELETE) \| `([^`]+)` \|/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );
  expect(documented.sort()).toEqual(there.sort());
});
