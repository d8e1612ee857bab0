import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archive, type BundleFile } from '../../../test/stand-ins/bundles.js';
import { readManifestText, unpackBundle } from './unpack-bundle.js';

let folder: string;
let file: string;
let into: string;
const { signal } = new AbortController();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-bundle-'));
  file = join(folder, 'a.mcpb');
  into = join(folder, 'unpacked');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const unpack = (files: readonly BundleFile[], executables: string[] = []) => {
  writeFileSync(file, archive(files));
  return unpackBundle(file, { into, executables, signal });
};

describe('a bundle', () => {
  it('is unpacked as plain files of its owner, and only what it starts may be run', async () => {
    await unpack(
      [
        { name: 'server/', text: '' },
        { name: 'server/run', text: 'run', mode: 0o100755 },
        { name: 'server/other', text: 'other', mode: 0o104755 },
        { name: 'deep/er/ü.txt', text: 'ü' },
      ],
      ['server/run'],
    );
    expect(readFileSync(join(into, 'deep/er/ü.txt'), 'utf8')).toBe('ü');
    expect(statSync(join(into, 'server/run')).mode & 0o7777).toBe(0o700);
    expect(statSync(join(into, 'server/other')).mode & 0o7777).toBe(0o600);
  });

  it.each<[string, BundleFile[]]>([
    ['goes up', [{ name: '../evil', text: 'x' }]],
    ['goes up further in', [{ name: 'a/../../evil', text: 'x' }]],
    ['starts at the root', [{ name: '/evil', text: 'x' }]],
    ['is written for another system', [{ name: 'a\\evil', text: 'x' }]],
    ['names a drive', [{ name: 'C:evil', text: 'x' }]],
    ['holds a control character', [{ name: 'a\u0007', text: 'x' }]],
    ['runs backwards', [{ name: 'a\u202egnp.js', text: 'x' }]],
    ['ends in a dot', [{ name: 'a.', text: 'x' }]],
    ['has an empty part', [{ name: 'a//b', text: 'x' }]],
    ['is longer than a path should be', [{ name: 'a'.repeat(501), text: 'x' }]],
    ['is a link', [{ name: 'link', text: '/etc/passwd', mode: 0o120777 }]],
    ['is a device', [{ name: 'device', text: '', mode: 0o060644 }]],
    [
      'is there twice',
      [
        { name: 'a', text: '1' },
        { name: 'a', text: '2' },
      ],
    ],
    [
      'is there in large and small letters',
      [
        { name: 'Readme', text: '1' },
        { name: 'README', text: '2' },
      ],
    ],
    [
      'is below a folder in large and small letters',
      [
        { name: 'Lib/a', text: '1' },
        { name: 'lib/b', text: '2' },
      ],
    ],
    [
      'is both a file and a folder',
      [
        { name: 'a', text: '1' },
        { name: 'a/b', text: '2' },
      ],
    ],
    [
      'is both a folder and a file',
      [
        { name: 'a/b', text: '1' },
        { name: 'A', text: '2' },
      ],
    ],
    [
      'is one name in two writings',
      [
        { name: 'e\u0301', text: '1' },
        { name: '\u00e9', text: '2' },
      ],
    ],
    ['is encrypted', [{ name: 'a', text: 'x', flags: 0x801 }]],
    ['claims another size than it has', [{ name: 'a', text: 'x'.repeat(100), size: 10 }]],
    ['unpacks to a thousand times its size', [{ name: 'a', text: '0'.repeat(4_000_000) }]],
  ])('with a name or file that %s is refused whole', async (_what, files) => {
    const work = unpack([{ name: 'good', text: 'good' }, ...files]);
    await expect(work).rejects.toMatchObject({ code: 'mcp_import_failed' });
    expect(existsSync(into)).toBe(false);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  });

  it('that is signed is unpacked without its signature; something else behind the archive is refused', async () => {
    const plain = archive([{ name: 'manifest.json', text: '{}' }]);
    const signature = Buffer.from('the bytes of a signature');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(signature.length);
    writeFileSync(
      file,
      Buffer.concat([plain, Buffer.from('MCPB_SIG_V1'), length, signature, Buffer.from('MCPB_SIG_END')]),
    );
    expect(await readManifestText(file)).toBe('{}');
    await unpackBundle(file, { into, signal });
    expect(existsSync(join(into, 'manifest.json'))).toBe(true);
    writeFileSync(file, Buffer.concat([plain, Buffer.from('MCPB_SIG_V1 and so on MCPB_SIG_END')]));
    await expect(readManifestText(file)).rejects.toMatchObject({ code: 'mcp_import_failed' });
  });

  it('with too many files is refused before the first of them', async () => {
    const many = Array.from({ length: 20_001 }, (_one, index) => ({ name: `f${index}`, text: '' }));
    await expect(unpack(many)).rejects.toMatchObject({ code: 'mcp_import_failed' });
  });

  it('that is no archive, or half of one, is refused', async () => {
    for (const bytes of [Buffer.from('no archive'), archive([{ name: 'a', text: 'x' }]).subarray(0, 60)]) {
      writeFileSync(file, bytes);
      await expect(unpackBundle(file, { into, signal })).rejects.toMatchObject({ code: 'mcp_import_failed' });
      await expect(readManifestText(file)).rejects.toMatchObject({ code: 'mcp_import_failed' });
    }
  });

  it('whose import is cancelled leaves nothing behind', async () => {
    writeFileSync(file, archive([{ name: 'a', text: 'x' }]));
    const gone = AbortSignal.abort();
    await expect(unpackBundle(file, { into, signal: gone })).rejects.toMatchObject({ code: 'cancelled' });
    expect(existsSync(into)).toBe(false);
  });
});
