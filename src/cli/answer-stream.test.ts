import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { streamAnswer } from './answer-stream.js';
import { ApiClient } from './api-client.js';

let server: Server;
const asked: { path: string; authorization: string | undefined }[] = [];
afterEach(() => {
  asked.length = 0;
  server.closeAllConnections();
  server.close();
});

/** A server that answers the chat with these chunks, and then ends or stays silent. */
async function serve(chunks: string[], { end = true } = {}): Promise<ApiClient> {
  server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
    if (request.url?.endsWith('/cancel')) return void response.end('{}');
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'r1' });
    for (const chunk of chunks) response.write(chunk);
    if (end) response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new ApiClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'key');
}

const question = { content: 'Hello?', session_id: 's1' };
const START = 'event: start\ndata: {}\n\n';
const content = (text: string) => `event: content\ndata: ${JSON.stringify({ text })}\nid: r1:1\n\n`;

describe('streamAnswer', () => {
  it('hands on each part as it comes and returns the whole', async () => {
    const client = await serve([START, content('Par'), content('is'), 'event: done\ndata: {}\n\n']);
    const parts: string[] = [];
    const answer = await streamAnswer(client, question, (text) => parts.push(text), new AbortController().signal);
    expect(parts).toEqual(['Par', 'is']);
    expect(answer).toMatchObject({ content: 'Paris', request_id: 'r1', session_id: 's1' });
    expect(asked[0]?.authorization).toBe('Bearer key');
  });

  it("fails with the server's code and words", async () => {
    const client = await serve([START, 'event: error\ndata: {"code":"no_model","message":"No model yet."}\n\n']);
    await expect(streamAnswer(client, question, () => {}, new AbortController().signal)).rejects.toMatchObject({
      code: 'no_model',
      message: 'No model yet.',
    });
  });

  it('does not take an answer that broke off for a whole one', async () => {
    const client = await serve([START, content('Par')]);
    await expect(streamAnswer(client, question, () => {}, new AbortController().signal)).rejects.toMatchObject({
      code: 'upstream_truncated',
    });
  });

  it('tells the server to stop when it is interrupted', async () => {
    const client = await serve([START, content('Par')], { end: false });
    const interrupt = new AbortController();
    const answer = streamAnswer(client, question, () => interrupt.abort(), interrupt.signal);
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    expect(asked.at(-1)?.path).toBe('/api/v1/llm/simple/stream/r1/cancel');
  });

  it('says how to start the server where none answers', async () => {
    const client = await serve([]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(client.get('/healthz')).rejects.toMatchObject({ code: 'provider_unavailable' });
  });
});
