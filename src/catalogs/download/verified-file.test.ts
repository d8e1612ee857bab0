import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PartFile, refuseWithoutSpace } from './verified-file.js';

describe('refuseWithoutSpace', () => {
  it('refuses with the figures what cannot fit', async () => {
    await expect(refuseWithoutSpace(tmpdir(), 1e18)).rejects.toMatchObject({
      code: 'insufficient_storage',
      details: { needed_bytes: 1e18 },
    });
  });

  it('lets pass what fits', async () => {
    await refuseWithoutSpace(tmpdir(), 1);
  });
});

describe('PartFile', () => {
  it('begins again where more lies there than the whole file has, and keeps nothing of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'venom-part-'));
    const path = join(folder, 'model.part');
    writeFileSync(path, 'another file, and longer');
    const part = await PartFile.open(path, { sizeBytes: 5, sha256: null }, { resume: true });
    expect(part.bytes).toBe(0);
    await part.write(Buffer.from('whole'));
    await part.commit(join(folder, 'model'));
    expect(readFileSync(join(folder, 'model'), 'utf8')).toBe('whole');
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(!existsSync('/dev/full'))('PartFile on a full disk', () => {
  it('says insufficient_storage', async () => {
    const part = await PartFile.open('/dev/full', { sizeBytes: 10, sha256: '' }, { resume: false });
    await expect(part.write(Buffer.from('12345'))).rejects.toMatchObject({ code: 'insufficient_storage' });
    await part.close();
  });
});
