import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

describe.skipIf(!existsSync('/dev/full'))('PartFile on a full disk', () => {
  it('says insufficient_storage', async () => {
    const part = await PartFile.open('/dev/full', { sizeBytes: 10, sha256: '' }, { resume: false });
    await expect(part.write(Buffer.from('12345'))).rejects.toMatchObject({ code: 'insufficient_storage' });
    await part.close();
  });
});
