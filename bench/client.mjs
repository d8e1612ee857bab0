// One streamed request, timed from the outside.
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

/** @returns {Promise<{ firstTokenMs: number, totalMs: number, status: number, complete: boolean }>} */
export function stream(port, path, body, { mark, end }) {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let firstTokenMs;
    let tail = '';
    const call = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        response.on('data', (bytes) => {
          const piece = tail + bytes.toString('latin1');
          if (firstTokenMs === undefined && piece.includes(mark)) firstTokenMs = performance.now() - startedAt;
          tail = piece.slice(-64);
        });
        response.on('end', () =>
          resolve({
            firstTokenMs: firstTokenMs ?? Number.NaN,
            totalMs: performance.now() - startedAt,
            status: response.statusCode,
            complete: tail.includes(end),
          }),
        );
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(text);
  });
}

const OPENAI = { mark: '"content":"token', end: '[DONE]' };
const DIRECT = { mark: 'event: content', end: 'event: done' };
const messages = [{ role: 'user', content: 'Hello' }];

export const askUpstream = (port) =>
  stream(port, '/v1/chat/completions', { model: 'bench', stream: true, messages }, OPENAI);
export const askOpenAi = (port) =>
  stream(port, '/v1/chat/completions', { model: 'bench', stream: true, messages }, OPENAI);
export const askDirect = (port, sessionId) =>
  stream(
    port,
    '/api/v1/llm/simple/stream',
    { content: 'Hello', model: 'bench', ...(sessionId ? { session_id: sessionId } : {}) },
    DIRECT,
  );

export const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
};

/** `count` calls, `parallel` at a time. @returns results and calls per second */
export async function load(count, parallel, call) {
  const results = [];
  let started = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async (_, worker) => {
      while (started < count) {
        started += 1;
        results.push(await call(worker, started));
      }
    }),
  );
  return { results, perSecond: (count / (performance.now() - startedAt)) * 1_000 };
}
