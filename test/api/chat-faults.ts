// Every fault an engine can have on OpenAI's wire, and what is none.
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { chunk } from './fake-upstream.js';
import { readEvents, type SseEvent, textOf } from './server.js';

export type Behaviour = (response: ServerResponse) => void | Promise<void>;
export const sse = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
export const raw =
  (text: string | Buffer): Behaviour =>
  (response) =>
    void sse(response).end(text);
export const status =
  (code: number, headers: Record<string, string> = {}, body = '{"error":{"message":"no"}}'): Behaviour =>
  (response) =>
    void response.writeHead(code, headers).end(body);
export const done = `${chunk({}, 'stop')}data: [DONE]\n\n`;

/** The name of a fault, the code of the answer's end, and what the engine does. */
export const FAULTS: [string, string, Behaviour][] = [
  ...[400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504].map((code): [string, string, Behaviour] => [
    `HTTP ${code}`,
    'llm_http_error',
    status(code, code === 429 ? { 'retry-after': '99999999999' } : {}),
  ]),
  ['a redirect to elsewhere', 'llm_http_error', status(302, { location: 'http://127.0.0.1:9/' })],
  ['a redirect to itself', 'llm_http_error', status(307, { location: '/v1/chat/completions' })],
  ['204', 'llm_invalid_response', (response) => void response.writeHead(204).end()],
  ['an empty 200', 'llm_invalid_response', raw('')],
  [
    'a web page',
    'llm_invalid_response',
    (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
  ],
  ['reset before headers', 'llm_connection_error', (response) => void response.socket?.resetAndDestroy()],
  [
    'reset after headers',
    'llm_connection_error',
    (response) => {
      sse(response).flushHeaders();
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    },
  ],
  [
    'reset in the body',
    'llm_connection_error',
    (response) => {
      sse(response).write(chunk({ content: 'half' }));
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    },
  ],
  ['headers never', 'llm_connection_error', () => {}],
  ['a body that stalls', 'llm_connection_error', (response) => void sse(response).write(chunk({ content: 'half' }))],
  ['no end mark', 'llm_invalid_response', raw(chunk({ content: 'half' }))],
  ['broken JSON', 'llm_invalid_response', raw('data: {"choices":[{"delta":\n\n')],
  ['NaN', 'llm_invalid_response', raw('data: {"choices":NaN}\n\n')],
  ['a bare number', 'llm_invalid_response', raw('data: 7\n\n')],
  ['null choices only', 'llm_invalid_response', raw('data: {"choices":null}\n\n')],
  ['an error in the stream', 'llm_http_error', raw(`${chunk({ content: 'a' })}data: {"error":{"message":"oom"}}\n\n`)],
  ['a huge tool index', 'llm_invalid_response', raw(`${chunk({ tool_calls: [{ index: 9e15, id: 'a' }] })}${done}`)],
  ['tool calls that are none', 'llm_invalid_response', raw(`${chunk({ tool_calls: [null, 7] })}${done}`)],
  ['an endless line', 'llm_invalid_response', raw(`data: ${'x'.repeat(5_000_000)}`)],
  ['an endless event', 'llm_invalid_response', raw(`data: ${'x'.repeat(60_000)}\n`.repeat(80))],
  [
    'an error in place of a stream',
    'llm_http_error',
    (response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end('{"error":{"message":"no memory"}}'),
  ],
  [
    'interim answers without end',
    'llm_invalid_response',
    (response) => void response.socket?.write('HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n'.repeat(100)),
  ],
  [
    'gzip nobody asked for',
    'llm_invalid_response',
    (response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(chunk({ content: 'x' }) + done)),
  ],
];

/** The name of an oddity, the text of the answer, and what the engine does. */
export const FINE: [string, string, Behaviour][] = [
  [
    'UTF-8 and fields cut anywhere',
    'Zażółć',
    async (response) => {
      sse(response);
      for (const byte of Buffer.from(chunk({ content: 'Zażółć' }) + done)) {
        response.write(Buffer.of(byte));
        if (byte > 127) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    },
  ],
  ['CR only', 'a', raw((chunk({ content: 'a' }) + done).replaceAll('\n', '\r'))],
  ['CRLF', 'a', raw((chunk({ content: 'a' }) + done).replaceAll('\n', '\r\n'))],
  ['a byte order mark and comments', 'a', raw(`\ufeff: hello\n\n${chunk({ content: 'a' })}: ping\n\n${done}`)],
  ['events of unknown names', 'a', raw(`event: x\nid: 4\nretry: 1\n${chunk({ content: 'a' })}${done}`)],
  ['data after the end, and two ends', 'a', raw(`${chunk({ content: 'a' })}${done}${chunk({ content: 'b' })}${done}`)],
  [
    'a whole answer in place of a stream',
    'whole',
    (response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"choices":[{"index":0,"message":{"content":"whole"},"finish_reason":"stop"}]}'),
  ],
  ['one long line', 'x'.repeat(1_000_000), raw(chunk({ content: 'x'.repeat(1_000_000) }) + done)],
  [
    'negative usage',
    'a',
    raw(
      `${chunk({ content: 'a' })}data: {"choices":[],"usage":{"prompt_tokens":-5,"completion_tokens":-1}}\n\n${done}`,
    ),
  ],
  [
    'usage beyond all numbers',
    'a',
    raw(`${chunk({ content: 'a' })}data: {"choices":[],"usage":{"completion_tokens":1e308}}\n\n${done}`),
  ],
  ['another model than asked', 'a', raw((chunk({ content: 'a' }) + done).replaceAll('"fake"', '"other"'))],
];

/**
 * What every fault comes to: one coded error, in bounded time, kept in the session with what was written before it.
 * @param ask  sends the question, in that session
 * @returns what the client was told
 */
export async function expectOneFailure(
  { url, sessionId, code, withinMs }: { url: string; sessionId: string; code: string; withinMs: number },
  ask: () => Promise<Response>,
): Promise<SseEvent[]> {
  const startedAt = performance.now();
  const events = await readEvents(await ask());
  expect(performance.now() - startedAt).toBeLessThan(withinMs);
  const ends = events.filter(({ event }) => event === 'error' || event === 'done');
  expect(ends.map(({ event, data }) => [event, data['code']])).toEqual([['error', code]]);
  expect(events[0]?.event).toBe('start');
  expect(ends[0]?.data['error']).toBe(ends[0]?.data['message']);
  const stored = await (await fetch(`${url}/api/v1/sessions/${sessionId}/messages`)).json();
  const { messages } = stored as { messages: { status: string; content: string }[] };
  expect(messages.map(({ status }) => status)).toEqual(['complete', 'failed']);
  expect(messages[1]?.content).toBe(textOf(events));
  return events;
}
