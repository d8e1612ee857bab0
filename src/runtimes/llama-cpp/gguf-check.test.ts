import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gguf, key, text, u32, u64 } from '../../../test/stand-ins/gguf.js';
import { readGguf } from './gguf-check.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-gguf-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function check(bytes: Buffer) {
  const path = join(folder, 'model.gguf');
  writeFileSync(path, bytes);
  return readGguf(path);
}

const invalid = expect.objectContaining({ code: 'invalid_model' });

describe('readGguf', () => {
  it('reads what is needed to plan a load', async () => {
    expect(await check(gguf())).toMatchObject({
      architecture: 'llama',
      quantization: 'Q4_1',
      layers: 2,
      contextLength: 2048,
      heads: 4,
      kvHeads: 4,
      keyLength: 16,
      parameters: 96,
      tensors: 2,
      hasChatTemplate: false,
      templateNamesTools: false,
    });
  });

  const hostile: [string, Buffer][] = [
    ['an empty file', Buffer.alloc(0)],
    ['a zip archive', Buffer.from('PK\u0003\u0004............................')],
    ['a pickle', Buffer.from([0x80, 4, 0x95, 0, 0, 0, 0, 0])],
    ['an unknown version', gguf({ version: 99 })],
    ['a huge key count', gguf({ keyCount: 0xffff_ffff_ffff_ffffn })],
    ['a huge tensor count', gguf({ tensorCount: 0xffff_ffff_ffff_ffffn })],
    [
      'a string beyond the file',
      gguf({ keys: [Buffer.concat([u64(0x7fff_ffff_ffff_ffffn), Buffer.from('x')])], keyCount: 1n }),
    ],
    [
      'the same key twice',
      gguf({ keys: [key('general.architecture', 'llama'), key('general.architecture', 'llama')] }),
    ],
    ['no architecture', gguf({ keys: [] })],
    ['an alignment of zero', gguf({ keys: [key('general.architecture', 'llama'), key('general.alignment', 0)] })],
    [
      'a tensor whose size overflows 64 bits',
      gguf({ tensors: [{ name: 'a', dimensions: [0x1_0000_0000n, 0x1_0000_0000n, 32n], type: 0, offset: 0 }] }),
    ],
    ['a tensor beyond the file', gguf({ tensors: [{ name: 'a', dimensions: [32], type: 0, offset: 1_048_576 }] })],
    ['an unaligned tensor', gguf({ tensors: [{ name: 'a', dimensions: [32], type: 0, offset: 7 }] })],
    [
      'overlapping tensors',
      gguf({
        tensors: [
          { name: 'a', dimensions: [32, 2], type: 0, offset: 0 },
          { name: 'b', dimensions: [8], type: 0, offset: 32 },
        ],
      }),
    ],
    ['an unknown tensor type', gguf({ tensors: [{ name: 'a', dimensions: [32], type: 200, offset: 0 }] })],
    ['a cut file', gguf().subarray(0, -40)],
    ['nested arrays', gguf({ keys: [Buffer.concat([text('x'), u32(9), u32(9), u64(1)])] })],
  ];

  it.each(hostile)('refuses %s', async (_name, bytes) => {
    const startedAt = performance.now();
    await expect(check(bytes)).rejects.toEqual(invalid);
    // Whoever believed its counts would read for minutes.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('answers any damaged header with a header or a coded error', async () => {
    const good = gguf();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const bytes = Buffer.from(good);
          for (const [at, value] of changes) bytes[at] = value;
          await check(bytes).catch((error) => expect(error).toEqual(invalid));
        },
      ),
      { numRuns: 300 },
    );
  });
});
