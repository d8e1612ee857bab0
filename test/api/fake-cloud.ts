// A fake OpenAI and a fake Google on one loopback port. Every byte that reaches it is kept, headers and addresses too, and
// faults come on demand.

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from 'node:net';

export interface CloudRequest {
  provider: 'openai' | 'google';
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface FakeCloud {
  /** Settings that make Venom use it. */
  readonly env: Record<string, string>;
  readonly origin: string;
  /** Chat requests so far. */
  readonly requests: CloudRequest[];
  /** Everything that came in on any connection. */
  everything(): string;
  /** Answers a chat request itself and returns true, or leaves it to the usual answer. */
  fault: (request: CloudRequest, response: ServerResponse) => boolean | Promise<boolean>;
  /** What it says; the whole question's words are not looked at. */
  answer: (request: CloudRequest) => string[];
  models: { openai: string[]; google: string[] };
  close(): Promise<void>;
}

export const OPENAI_KEY = 'sk-test-openai-0123456789abcdef';
export const GOOGLE_KEY = 'AIzaTestGoogle0123456789abcdefghijklmnop';

export async function startFakeCloud(): Promise<FakeCloud> {
  const requests: CloudRequest[] = [];
  const bytes: Buffer[] = [];
  const http = createHttpServer((request, response) => void handle(request, response));
  const sockets = new Set<Socket>();
  // A door of its own in front of the server, so that nothing that reaches the port is missed: a parser takes the bytes of
  // its connections without telling anybody.
  const server: NetServer = createServer((socket) => {
    const inner = connect((http.address() as AddressInfo).port, '127.0.0.1');
    for (const end of [socket, inner]) {
      sockets.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        sockets.delete(end);
        socket.destroy();
        inner.destroy();
      });
    }
    socket.on('data', (piece) => bytes.push(Buffer.from(piece)));
    socket.pipe(inner).pipe(socket);
  });
  const fake: FakeCloud = {
    env: {},
    origin: '',
    requests,
    everything: () => Buffer.concat(bytes).toString('utf8'),
    fault: () => false,
    answer: () => ['From ', 'the ', 'cloud'],
    models: { openai: ['gpt-4o', 'gpt-4o-mini'], google: ['gemini-1.5-pro', 'gemini-1.5-flash'] },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        http.close();
        server.close(() => resolve());
      }),
  };
  async function handle(incoming: IncomingMessage, response: ServerResponse) {
    let body = '';
    for await (const piece of incoming) body += piece;
    const url = incoming.url ?? '';
    const provider = url.startsWith('/v1beta') ? 'google' : 'openai';
    const json = (value: unknown) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (url === '/v1/models') return json({ data: fake.models.openai.map((id) => ({ id })) });
    if (url === '/v1beta/models')
      return json({
        models: fake.models.google.map((id) => ({
          name: `models/${id}`,
          supportedGenerationMethods: ['generateContent'],
        })),
      });
    const request: CloudRequest = { provider, url, headers: incoming.headers, body };
    requests.push(request);
    if (await fake.fault(request, response)) return;
    const pieces = fake.answer(request);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = (value: unknown) => response.write(`data: ${JSON.stringify(value)}\n\n`);
    if (provider === 'google') {
      for (const text of pieces) event({ candidates: [{ content: { role: 'model', parts: [{ text }] } }] });
      event({
        candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
      });
      return response.end();
    }
    const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o' };
    for (const content of pieces)
      event({ ...head, choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }] });
    event({ ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    event({ ...head, choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } });
    response.end('data: [DONE]\n\n');
  }
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(fake, {
    origin,
    env: {
      OPENAI_API_KEY: OPENAI_KEY,
      GOOGLE_API_KEY: GOOGLE_KEY,
      OPENAI_CHAT_COMPLETIONS_ENDPOINT: `${origin}/v1/chat/completions`,
      GOOGLE_MODELS_ENDPOINT: `${origin}/v1beta/models`,
    },
  });
}
