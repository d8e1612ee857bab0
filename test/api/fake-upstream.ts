// A model server that follows OpenAI's wire, with faults on demand.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeUpstream {
  readonly url: string;
  /** What `/models` lists. */
  readonly models: { id: string }[];
  /** Bodies of the chat requests so far. */
  readonly requests: Record<string, unknown>[];
  /** Of the requests for vectors. */
  readonly embedded: Record<string, unknown>[];
  /** Chat requests that are being answered now. */
  readonly open: () => number;
  behaviour: (body: Record<string, unknown>, response: ServerResponse) => void | Promise<void>;
  /** The same where vectors are asked for; two numbers each, unless it is set. */
  embedding?: FakeUpstream['behaviour'];
  close(): Promise<void>;
}

export const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'fake', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

/** Streams `tokens`, `delayMs` apart, with usage and end mark. */
export const streams =
  (tokens: string[], delayMs = 0) =>
  async (body: Record<string, unknown>, response: ServerResponse) => {
    if (body['stream'] === false || body['stream'] === undefined) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          id: 'c',
          object: 'chat.completion',
          created: 1,
          model: body['model'],
          choices: [{ index: 0, message: { role: 'assistant', content: tokens.join('') }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 3, completion_tokens: tokens.length, total_tokens: 3 + tokens.length },
        }),
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const token of tokens) {
      if (response.destroyed) return;
      response.write(chunk({ content: token }));
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
    response.write(chunk({}, 'stop'));
    response.write(
      `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: tokens.length } })}\n\n`,
    );
    response.end('data: [DONE]\n\n');
  };

export async function startFakeUpstream(): Promise<FakeUpstream> {
  const requests: Record<string, unknown>[] = [];
  const embedded: Record<string, unknown>[] = [];
  let open = 0;
  const server: Server = createServer((request, response) => void handle(request, response));
  const fake: FakeUpstream = {
    url: '',
    models: [{ id: 'fake-model' }, { id: 'org/other' }],
    requests,
    embedded,
    open: () => open,
    behaviour: streams(['Hello', ' ', 'world']),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  async function handle(request: IncomingMessage, response: ServerResponse) {
    if (request.url === '/v1/models') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ object: 'list', data: fake.models }));
      return;
    }
    if (request.method === 'GET') {
      response.writeHead(404).end('{}');
      return;
    }
    let text = '';
    for await (const piece of request) text += piece;
    const body = JSON.parse(text);
    if (request.url === '/v1/embeddings') {
      embedded.push(body);
      if (fake.embedding) {
        open += 1;
        response.on('close', () => {
          open -= 1;
        });
        return void fake.embedding(body, response);
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          object: 'list',
          data: body.input.map((_: unknown, index: number) => ({ index, embedding: [0.5, 0.25] })),
          usage: { prompt_tokens: 2, total_tokens: 2 },
        }),
      );
      return;
    }
    requests.push(body);
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    await fake.behaviour(body, response);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
}
