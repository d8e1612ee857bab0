// Retries, counts and the circuit on a real connection.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HttpUpstream } from './http-upstream.js';
import { DEFAULT_TRAFFIC, TrafficControl, type TrafficPolicy, UpstreamTraffic } from './upstream-traffic.js';

let server: Server;
let baseUrl: string;
let answers: ((request: IncomingMessage, response: ServerResponse) => void)[];
let asked: number;
let time: { now: number };
const upstreams: HttpUpstream[] = [];

beforeEach(async () => {
  answers = [];
  asked = 0;
  time = { now: 0 };
  server = createServer((request, response) => {
    asked += 1;
    request.resume();
    request.on('end', () => (answers.length > 1 ? answers.shift() : answers[0])?.(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const upstream of upstreams.splice(0)) await upstream.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function create(policy: Partial<TrafficPolicy> = {}): HttpUpstream {
  const traffic = new UpstreamTraffic(
    'x',
    { ...DEFAULT_TRAFFIC, retry: { ...DEFAULT_TRAFFIC.retry, attempts: 3, backOffMs: 5 }, ...policy },
    () => time.now,
  );
  const upstream = new HttpUpstream({ baseUrl, headers: {}, connectTimeoutMs: 500, idleTimeoutMs: 500, traffic });
  upstreams.push(upstream);
  return upstream;
}
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (_request: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(code, headers).end('{"ok":true}');
const reset = (request: IncomingMessage) => void request.socket.resetAndDestroy();
const Ok = z.object({ ok: z.boolean() });

describe('HttpUpstream', () => {
  it('asks again after a reset and after 503, and gives the answer that came in the end', async () => {
    answers = [reset, status(503), status(200)];
    const upstream = create();
    expect(await upstream.json('/', Ok, 2_000, { body: {}, retry: true })).toEqual({ ok: true });
    expect(asked).toBe(3);
    expect(upstream.traffic.figures).toMatchObject({ requests: 1, retries: 2, failures: 2, circuit: 'closed' });
  });

  it('gives the last refusal when its tries are used up, and never repeats what may not be', async () => {
    answers = [status(503)];
    const upstream = create();
    await expect(upstream.json('/', Ok, 2_000, { body: {}, retry: true })).rejects.toMatchObject({
      details: { status: 503 },
    });
    expect(asked).toBe(3);
    await expect(upstream.json('/', Ok, 2_000, { body: {} })).rejects.toMatchObject({ code: 'upstream_rejected' });
    expect(asked).toBe(4);
    const upload = (async function* () {
      yield Buffer.from('x');
    })();
    expect((await upstream.send('/', { body: upload, retry: true })).statusCode).toBe(503);
    expect(asked).toBe(5);
  });

  it('waits as long as the server asks for, up to a bound', async () => {
    answers = [status(429, { 'retry-after': '0.05' }), status(200)];
    const upstream = create();
    const startedAt = performance.now();
    await upstream.json('/', Ok, 2_000, { body: {}, retry: true });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(45);
    answers = [status(429, { 'retry-after': '3600' })];
    await expect(upstream.json('/', Ok, 2_000, { body: {}, retry: true })).rejects.toMatchObject({
      details: { status: 429 },
    });
    expect(upstream.traffic.figures).toMatchObject({ circuit: 'closed', failuresInARow: 0 });
  });

  it('stops waiting for another try when its caller stops', async () => {
    answers = [status(503, { 'retry-after': '4' })];
    const upstream = create();
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 30);
    const asking = upstream.send('/', { body: {}, retry: true, signal: abort.signal });
    await expect(asking).rejects.toMatchObject({ code: 'cancelled' });
    expect(upstream.traffic.figures.inFlight).toBe(0);
  });

  it('counts an answer until it has been read', async () => {
    let finish: () => void = () => {};
    answers = [
      (_request, response) => {
        response.writeHead(200).write('{"ok":');
        finish = () => void response.end('true}');
      },
    ];
    const upstream = create();
    const response = await upstream.send('/');
    const streamed = await upstream.open('/', {});
    expect(upstream.traffic.figures.inFlight).toBe(2);
    finish();
    for await (const _bytes of upstream.batches(streamed));
    expect(upstream.traffic.figures.inFlight).toBe(1);
    response.body.on('error', () => {}).destroy();
    await expect.poll(() => upstream.traffic.figures.inFlight).toBe(0);
  });

  it('turns callers away at once while its circuit is open, and lets a trial through after its time', async () => {
    answers = [status(503)];
    const upstream = create({ circuitFailures: 2, circuitOpenMs: 1_000 });
    for (let count = 0; count < 2; count += 1) (await upstream.send('/')).body.resume();
    expect(upstream.traffic.figures).toMatchObject({ circuit: 'open', openUntil: 1_000, lastError: 'HTTP 503' });
    await expect(upstream.send('/')).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'x failed 2 times in a row and is left alone for 1 s: HTTP 503',
      details: { circuit: 'open', retry_after_seconds: 1 },
    });
    expect(asked).toBe(2);
    // A question after its health passes all the same.
    (await upstream.send('/', { probe: true })).body.resume();
    expect(asked).toBe(3);
    time.now = 1_000;
    answers = [status(200)];
    (await upstream.send('/')).body.resume();
    expect(upstream.traffic.figures).toMatchObject({ circuit: 'closed', refused: 1 });
  });

  it('leaves a model alone whose answers fail while the lists of its server are well, and no other model', async () => {
    const well = status(200);
    let mended = false;
    answers = [
      (request, response) =>
        void (request.url === '/chat' && request.headers['x-model'] === 'broken' && !mended
          ? response.writeHead(500).end('{}')
          : well(request, response)),
    ];
    const upstream = create({ circuitFailures: 2, circuitOpenMs: 1_000 });
    const ask = async (model: string) => {
      const headers = { 'x-model': model };
      const answer = await upstream.send('/chat', { body: { model }, headers, retry: true });
      answer.body.resume();
      return answer.statusCode;
    };
    const list = async () => (await upstream.send('/models', { probe: true })).body.resume();
    for (let count = 0; count < 2; count += 1) {
      expect(await ask('broken')).toBe(500);
      await list();
    }
    await expect(ask('broken')).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'x (broken) failed 2 times in a row and is left alone for 1 s: HTTP 500',
      details: { model: 'broken' },
    });
    expect(await ask('other')).toBe(200);
    expect(upstream.traffic.figures).toMatchObject({
      circuit: 'closed',
      failingModels: [{ model: 'broken', circuit: 'open', failuresInARow: 2, openUntil: 1_000 }],
    });
    // A list that is well does not end the waiting, and half open one question passes alone.
    time.now = 1_000;
    await list();
    const before = asked;
    const [first, second] = await Promise.allSettled([ask('broken'), ask('broken')]);
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected']);
    expect(asked).toBe(before + 1);
    await expect(ask('broken')).rejects.toMatchObject({ code: 'provider_unavailable' });
    time.now = 2_000;
    mended = true;
    expect(await ask('broken')).toBe(200);
    expect(upstream.traffic.figures.failingModels).toEqual([]);
  });

  it('learns nothing from a page that did not wait long enough', async () => {
    answers = [() => {}];
    const upstream = create({ circuitFailures: 1 });
    await expect(upstream.json('/', Ok, 30, { probe: true })).rejects.toMatchObject({ code: 'upstream_timeout' });
    expect(upstream.traffic.figures.circuit).toBe('closed');
  });

  it('gives the same address the same circuit', () => {
    const control = new TrafficControl();
    expect(control.scope('a')).toBe(control.scope('a'));
    expect(control.scope('b')).not.toBe(control.scope('a'));
    expect(control.scopes.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});
