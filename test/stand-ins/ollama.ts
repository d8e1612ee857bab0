// An Ollama in the forms of its documentation: lists, answers, copies and makes models, and remembers what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeOllama {
  readonly url: string;
  readonly models: string[];
  readonly requests: { path: string; body: Record<string, unknown> }[];
  close(): Promise<void>;
}

const FIGURES = {
  total_duration: 90_000_000,
  load_duration: 20_000_000,
  prompt_eval_count: 7,
  prompt_eval_duration: 30_000_000,
  eval_count: 3,
  eval_duration: 40_000_000,
};

export async function startFakeOllama(words: readonly string[] = ['Hello', ' ', 'world']): Promise<FakeOllama> {
  const models = ['small:latest'];
  const requests: FakeOllama['requests'] = [];
  const json = (response: ServerResponse, value: object, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const lines = (response: ServerResponse, values: object[]) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.end(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  };
  const unknown = (response: ServerResponse, name: unknown) =>
    json(response, { error: `model '${String(name)}' not found` }, 404);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request) text += piece;
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const path = request.url ?? '';
    requests.push({ path, body });
    switch (path) {
      case '/api/version':
        json(response, { version: '0.9.0' });
        return;
      case '/api/tags':
        json(response, {
          models: models.map((name) => ({ name, model: name, size: 1_000, digest: name.padEnd(64, '0') })),
        });
        return;
      case '/api/ps':
        json(response, { models: [] });
        return;
      case '/api/show':
        json(response, { details: { family: 'llama' }, model_info: {}, capabilities: ['completion'] });
        return;
      case '/api/generate':
        json(response, { model: body['model'], response: '', done: true });
        return;
      case '/api/chat':
        if (!models.includes(String(body['model']))) return void unknown(response, body['model']);
        lines(response, [
          ...words.map((content) => ({ model: body['model'], message: { role: 'assistant', content }, done: false })),
          {
            model: body['model'],
            message: { role: 'assistant', content: '' },
            done: true,
            done_reason: 'stop',
            ...FIGURES,
          },
        ]);
        return;
      case '/api/copy':
        if (!models.includes(String(body['source']))) return void unknown(response, body['source']);
        models.push(`${String(body['destination'])}:latest`);
        response.writeHead(200).end();
        return;
      case '/api/create':
        if (!models.includes(String(body['from']))) return void unknown(response, body['from']);
        models.push(`${String(body['model'])}:latest`);
        lines(response, [{ status: 'creating new layer' }, { status: 'writing manifest' }, { status: 'success' }]);
        return;
      default:
        json(response, { error: 'not found' }, 404);
    }
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    models,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
