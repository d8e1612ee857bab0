import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asRequirements, checkLockFits, findPythonLock, PYTHON_LOCKS, readPythonLock } from './python-lock.js';

const HASH = 'a'.repeat(64);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const uvLock = (own: string, packages: string) => `version = 1
[[package]]
name = "own"
version = "1.0"
source = { editable = "." }
${own}
${packages}`;
const registry = (name: string, more = '') => `[[package]]
name = "${name}"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
${more}
wheels = [{ url = "https://x/y.whl", hash = "sha256:${HASH}" }]
`;

describe('uv.lock', () => {
  it('names what is needed to run, and not what only its developers need, from wherever that comes', () => {
    write(
      'uv.lock',
      uvLock(
        'dependencies = [{ name = "one", extra = ["more"] }]\n[package.dev-dependencies]\ndev = [{ name = "tool" }]',
        registry('one', 'dependencies = [{ name = "two" }]\noptional-dependencies = { more = [{ name = "three" }] }') +
          registry('two') +
          registry('three') +
          '[[package]]\nname = "tool"\nversion = "1"\nsource = { git = "https://x/y.git" }\n',
      ),
    );
    expect(findPythonLock(folder, PYTHON_LOCKS)?.packages.map(({ name }) => name)).toEqual(['one', 'two', 'three']);
  });

  it.each([
    ['git', 'source = { git = "https://x/y.git" }'],
    ['a folder', 'source = { directory = "../other" }'],
    ['a file', 'source = { url = "https://x/y.whl" }'],
  ])('is refused where a package comes from %s', (_what, source) => {
    write(
      'uv.lock',
      uvLock('dependencies = [{ name = "one" }]', `[[package]]\nname = "one"\nversion = "1"\n${source}\n`),
    );
    expect(() => readPythonLock(folder, 'uv.lock')).toThrow(/no registry/);
  });

  it.each([
    ['another bound', ['one>=2'], 'made for another one'],
    ['another extra', ['one[fast]>=1'], 'made for another one'],
    ['one more', ['one>=1', 'two'], 'does not know two'],
    ['one less', [], 'still needed one'],
  ])('does not fit a project with %s', (_what, declared, why) => {
    write(
      'uv.lock',
      uvLock(
        'dependencies = [{ name = "one" }]\n[package.metadata]\nrequires-dist = [{ name = "one", specifier = ">=1" }]',
        registry('one'),
      ),
    );
    const lock = readPythonLock(folder, 'uv.lock');
    expect(() => lock && checkLockFits(folder, lock, declared)).toThrow(
      expect.objectContaining({ code: 'mcp_lock_mismatch', message: expect.stringContaining(why) }),
    );
    expect(() => lock && checkLockFits(folder, lock, ['One >= 1'])).not.toThrow();
  });

  it('without a hash of what it names is not used', () => {
    write('uv.lock', uvLock('dependencies = [{ name = "one" }]', registry('one').replace(/wheels.*/, '')));
    expect(() => readPythonLock(folder, 'uv.lock')).toThrow(expect.objectContaining({ code: 'mcp_lock_mismatch' }));
  });
});

describe('pylock.toml', () => {
  it('is written as pip reads it, with conditions', () => {
    write(
      'pylock.toml',
      `lock-version = "1.0"
[[packages]]
name = "Two_Words"
version = "2.0"
marker = "sys_platform == 'win32'"
wheels = [{ name = "x.whl", hashes = { sha256 = "${HASH}" } }]
[[packages]]
name = "own"
directory = { path = "." }
`,
    );
    const lock = readPythonLock(folder, 'pylock.toml');
    expect(lock && asRequirements(lock)).toBe(
      `two-words==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:${HASH}\n`,
    );
  });

  it.each([
    ['a line of its own', `"x" == "y"\\n--index-url=https://evil.example`],
    ['an option', `'a' == 'b' --index-url evil`],
  ])('cannot smuggle %s to pip in a condition', (_what, marker) => {
    write(
      'pylock.toml',
      `lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\nmarker = "${marker.replaceAll('"', '\\"')}"
wheels = [{ hashes = { sha256 = "${HASH}" } }]\n`,
    );
    expect(() => readPythonLock(folder, 'pylock.toml')).toThrow(/condition of a/);
  });
});

describe('requirements.txt', () => {
  it('is no lock without hashes, and one that must be whole with them', () => {
    write('requirements.txt', 'one==1\n');
    expect(readPythonLock(folder, 'requirements.txt')).toBeNull();
    write('requirements.txt', `one==1 --hash=sha256:${HASH}\ntwo==2\n`);
    expect(() => readPythonLock(folder, 'requirements.txt')).toThrow(/none \(SHA-256\) of two/);
  });

  it.each(['-r other.txt', '-e .', 'two @ https://x/y.whl', '--find-links /x', 'two>=1'])(
    'with the line %s is refused',
    (line) => {
      write('requirements.txt', `one==1 --hash=sha256:${HASH}\n${line}\n`);
      expect(() => readPythonLock(folder, 'requirements.txt')).toThrow(/no package with a version/);
    },
  );

  it('keeps only what names the package, its condition and its hashes', () => {
    write(
      'requirements.txt',
      `-i https://evil.example/simple\none[a,b]==1.0 ; python_version > "3" \\\n  --hash=sha256:${HASH} # via x\n`,
    );
    const lock = readPythonLock(folder, 'requirements.txt');
    expect(lock && asRequirements(lock)).toBe(`one==1.0 ; python_version > "3" \\\n    --hash=sha256:${HASH}\n`);
  });
});
