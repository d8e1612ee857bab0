// One file from a source with faults: nothing under the final name unless it is the very file, and a code otherwise.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadRanged } from './ranged-download.js';

const FILE = randomBytes(300_000);
const SHA256 = createHash('sha256').update(FILE).digest('hex');

interface Asked {
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
  authorization: string | undefined;
}
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder: string;
let servers: Server[];
let asked: Asked[];
let sent: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-download-'));
  servers = [];
  asked = [];
  sent = 0;
});
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Answers one after the other; the last one from then on. */
async function source(...answers: Answer[]): Promise<string> {
  let count = 0;
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange, authorization } = request.headers;
    asked.push({ path: request.url ?? '', range, ifRange: ifRange as string | undefined, authorization });
    const answer = answers[Math.min(count, answers.length - 1)];
    count += 1;
    answer?.(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, headers).end('no');

/** As it should be; `until`: bytes after which it is cut. */
const serves =
  (file = FILE, { etag = '"v1"', until = Number.POSITIVE_INFINITY } = {}): Answer =>
  (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const partial = from > 0 && request.headers['if-range'] === etag;
    const body = partial ? file.subarray(from) : file;
    response.writeHead(partial ? 206 : 200, {
      etag,
      'content-length': body.length,
      ...(partial ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    });
    const piece = body.subarray(0, until);
    sent += piece.length;
    if (piece.length === body.length) return void response.end(piece);
    response.write(piece, () => setTimeout(() => response.socket?.resetAndDestroy(), 20));
  };

const final = () => join(folder, 'model.gguf');
const download = (url: string, { token, signal }: { token?: string; signal?: AbortSignal } = {}) =>
  downloadRanged(
    { url: `${url}/model.gguf`, token, fetch, retryDelayMs: 1, stallMs: 1_000 },
    { sizeBytes: FILE.length, sha256: SHA256 },
    `${final()}.part`,
    final(),
    () => {},
    signal ?? AbortSignal.timeout(20_000),
  );
async function whole(url: string): Promise<void> {
  expect(await download(url)).toBe(SHA256);
  expect(readFileSync(final()).equals(FILE)).toBe(true);
}
async function fails(url: string, code: string): Promise<void> {
  await expect(download(url)).rejects.toMatchObject({ code });
  expect(existsSync(final())).toBe(false);
}

describe('a download comes whole', () => {
  it('at once, asking for nothing but the bytes themselves', async () => {
    await whole(await source(serves()));
    expect(asked).toEqual([{ path: '/model.gguf', range: undefined, ifRange: undefined, authorization: undefined }]);
  });

  it('over connections that break after the head of the answer', async () => {
    const cut: Answer = (_request, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': FILE.length }).flushHeaders();
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    };
    await whole(await source(cut, cut, cut, serves()));
  });

  it('over cuts, going on where it was', async () => {
    await whole(await source(serves(FILE, { until: 100_000 }), serves(FILE, { until: 50_000 }), serves()));
    expect(asked.map(({ range, ifRange }) => [range !== undefined, ifRange])).toEqual([
      [false, undefined],
      [true, '"v1"'],
      [true, '"v1"'],
    ]);
    // What was on its way when a connection broke may come twice; both beginnings would come to half a file more.
    expect(sent).toBeLessThan(FILE.length + 140_000);
  });

  it('where the rest that comes is of another file than its beginning', async () => {
    const former = serves(randomBytes(FILE.length), { until: 100_000 });
    const rest: Answer = (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const headers = { etag: '"v2"', 'content-range': `bytes ${from}-${FILE.length - 1}/${FILE.length}` };
      response.writeHead(206, headers).end(FILE.subarray(from));
    };
    await whole(await source(former, rest, serves(FILE, { etag: '"v2"' })));
  });

  it('over more cuts than tries it would make without a byte, as long as each brings some', async () => {
    const cut = serves(FILE, { until: 40_000 });
    await whole(await source(cut, cut, cut, cut, cut, serves()));
    expect(asked).toHaveLength(6);
  });

  it.each<[string, Answer]>([
    ['HTTP 500', status(500)],
    ['HTTP 408', status(408)],
    ['HTTP 429 with a date that is past', status(429, { 'retry-after': 'Mon, 01 Jan 2024 00:00:00 GMT' })],
    ['HTTP 503 with nonsense', status(503, { 'retry-after': 'soon' })],
    ['a reset before headers', (_request, response) => void response.socket?.resetAndDestroy()],
    ['headers that never come', () => {}],
  ])('after %s', async (_name, answer) => {
    await whole(await source(answer, serves()));
    expect(asked).toHaveLength(2);
  });

  it('after a body that stalls', async () => {
    const stalls: Answer = (_request, response) =>
      void response.writeHead(200, { etag: '"v1"', 'content-length': FILE.length }).write(FILE.subarray(0, 1_000));
    await whole(await source(stalls, serves()));
    expect(asked[1]).toMatchObject({ range: 'bytes=1000-', ifRange: '"v1"' });
  });

  it.each<[string, Answer]>([
    ['ranges are ignored', serves(FILE, { etag: '"v1"' })],
    ['the range is refused', status(416)],
    [
      'another range is answered',
      (_request, response) =>
        void response.writeHead(206, { etag: '"v1"', 'content-range': 'bytes 7-299999/300000' }).end(FILE.subarray(7)),
    ],
    [
      'the range is not named',
      (_request, response) => void response.writeHead(206, { etag: '"v1"' }).end(FILE.subarray(100_000)),
    ],
    [
      'the file has changed meanwhile',
      (_request, response) =>
        void response
          .writeHead(206, { etag: '"v2"', 'content-range': 'bytes 100000-299999/300000' })
          .end(FILE.subarray(100_000)),
    ],
  ])('where %s', async (name, answer) => {
    const first = serves(FILE, { until: 100_000 });
    const ignoring: Answer = (request, response) => {
      request.headers.range = '';
      serves()(request, response);
    };
    await whole(await source(first, name === 'ranges are ignored' ? ignoring : answer, serves()));
  });
});

describe('a download fails, and leaves no file', () => {
  it.each<[string, string, Answer]>([
    ['HTTP 401', 'gated_model', status(401)],
    ['HTTP 403', 'gated_model', status(403)],
    ['HTTP 404', 'source_unavailable', status(404)],
    ['HTTP 410', 'source_unavailable', status(410)],
    ['HTTP 500 again and again', 'download_failed', status(500)],
    ['resets again and again', 'source_unavailable', (_request, response) => void response.socket?.resetAndDestroy()],
    ['silence again and again', 'source_unavailable', () => {}],
    ['another file', 'hash_mismatch', serves(randomBytes(FILE.length))],
    [
      'a web page',
      'download_failed',
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    ['nothing', 'source_unavailable', (_request, response) => void response.writeHead(204).end()],
    ['more than there should be', 'hash_mismatch', serves(Buffer.concat([FILE, Buffer.from('more')]))],
    ['less than there should be', 'download_failed', serves(FILE.subarray(0, 1_000))],
    [
      'a body without an end',
      'hash_mismatch',
      (_request, response) => {
        response.writeHead(200);
        const write = () => void (response.destroyed || response.write(FILE, () => setImmediate(write)));
        write();
      },
    ],
    [
      'broken gzip',
      'download_failed',
      (_request, response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(FILE).subarray(0, 100)),
    ],
    ['a redirect to itself', 'source_unavailable', status(302, { location: '/model.gguf' })],
    ['a redirect to another protocol', 'source_unavailable', status(302, { location: 'ftp://127.0.0.1/x' })],
    ['a redirect to nowhere', 'source_unavailable', status(302)],
  ])('on %s', async (_name, code, answer) => {
    await fails(await source(answer), code);
  });

  it('when its caller stops, and says that it was stopped', async () => {
    const stop = new AbortController();
    const url = await source(() => void setTimeout(() => stop.abort(), 20));
    await expect(download(url, { signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });
});

it('gives the token to the origin it was given for, and to no other', async () => {
  const elsewhere = await source(serves());
  const url = await source(status(302, { location: `${elsewhere}/cdn` }));
  expect(await download(url, { token: 'secret' })).toBe(SHA256);
  expect(asked.map(({ path, authorization }) => [path, authorization])).toEqual([
    ['/model.gguf', 'Bearer secret'],
    ['/cdn', undefined],
  ]);
});
