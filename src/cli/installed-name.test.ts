import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ApiClient } from './api-client.js';
import { installedModel } from './installed-name.js';

let answer: { status: number; body: unknown };
let client: ApiClient;
let close: () => void;
beforeEach(async () => {
  const server = createServer((_request, response) =>
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new ApiClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '');
  close = () => server.close();
  const models = [
    { name: 'twin', provider: 'llama-cpp', active: false },
    { name: 'twin', provider: 'ollama', active: true },
    { name: 'tiny:latest', provider: 'ollama', active: false },
  ];
  answer = { status: 200, body: { models } };
});
afterEach(() => close());

it('finds what Ollama calls latest by its short name, and of two of one name the active or the named one', async () => {
  expect(await installedModel(client, 'tiny')).toMatchObject({ name: 'tiny:latest' });
  expect(await installedModel(client, 'twin')).toMatchObject({ provider: 'ollama' });
  expect(await installedModel(client, 'twin', 'llama-cpp')).toMatchObject({ provider: 'llama-cpp' });
});

it.each([
  [['huge'], 'No installed model is called huge; see `venom models list`'],
  [['tiny', 'llama-cpp'], 'No installed model is called tiny on llama-cpp; see `venom models list`'],
])('says of %j where the names are', async ([name, runtime], message) => {
  await expect(installedModel(client, name as string, runtime)).rejects.toMatchObject({
    code: 'model_not_found',
    message,
  });
});

it.each<[string, unknown, string]>([
  ['a list of wrong fields', [{ loc: ['query', 'limit'], msg: 'not a number' }], 'limit: not a number'],
  ['an object with a sentence', { message: 'Busy.', server_name: 'x' }, 'Busy.'],
  ['nothing', undefined, 'The server answered HTTP 422.'],
])('tells %s in one line', async (_form, detail, message) => {
  answer = { status: 422, body: { detail, code: 'invalid_input' } };
  await expect(client.get('/')).rejects.toMatchObject({ code: 'invalid_input', message });
});
