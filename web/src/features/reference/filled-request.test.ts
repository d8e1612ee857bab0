import { expect, it } from 'vitest';
import { curlLine, filledRequest } from './filled-request';

const parameter = (name: string) => ({ name, in: 'query', required: false, schema: {} });

it('puts values into the address and its query, and leaves out what is empty', () => {
  const operation = {
    method: 'GET',
    path: '/api/v1/models/{model_name}/config',
    parameters: [parameter('runtime'), parameter('limit')],
  };
  const filled = { 'path model_name': 'org/model:7b', 'query runtime': 'ollama', 'query limit': '' };
  expect(filledRequest(operation, filled, undefined).path).toBe(
    '/api/v1/models/org%2Fmodel%3A7b/config?runtime=ollama',
  );
  expect(filledRequest(operation, {}, undefined).path).toBe('/api/v1/models/{model_name}/config');
});

it('leaves slashes where a route takes any address', () => {
  const operation = { method: 'GET', path: '/v1/models/{*}', parameters: [] };
  expect(filledRequest(operation, { 'path *': 'org/a b' }, undefined).path).toBe('/v1/models/org/a%20b');
});

it('is a line that a shell takes, whatever quotes are in it', () => {
  const request = { method: 'POST', path: '/api/v1/tasks', body: `{"content":"it's"}` };
  expect(curlLine(request, 'http://127.0.0.1:8000', true)).toBe(
    [
      `curl -X POST 'http://127.0.0.1:8000/api/v1/tasks' \\`,
      `  -H "Authorization: Bearer $VENOM_API_KEY" \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d '{"content":"it'\\''s"}'`,
    ].join('\n'),
  );
});
