import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docx, pdf } from '../../test/stand-ins/documents.js';
import { DocumentReader } from './document-reader.js';

const never = new AbortController().signal;
const real = new URL('document-worker.ts', import.meta.url);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-documents-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A reader whose thread does what a hostile file makes a parser do. */
function hostile(code: string, timeoutMs = 20_000): DocumentReader {
  const path = join(folder, `${Math.random()}.mjs`);
  writeFileSync(path, code);
  return new DocumentReader({ workerPath: path, timeoutMs });
}
const file = { name: 'a.txt', mediaType: null, bytes: Buffer.from('text') };
const refusal = (reason: string) => expect.objectContaining({ code: 'invalid_document', details: { reason } });

describe('DocumentReader', () => {
  it('reads pages of a PDF and paragraphs of a Word file', async () => {
    const reader = new DocumentReader({ workerPath: real, timeoutMs: 20_000 });
    const read = async (name: string, bytes: Uint8Array) =>
      (await reader.read({ name, mediaType: null, bytes }, never)).pages;
    expect(await read('a.pdf', pdf(['One', 'Two']))).toEqual([
      { page: 1, text: 'One' },
      { page: 2, text: 'Two' },
    ]);
    expect(await read('a.docx', docx(['One', 'Two &amp; three']))).toEqual([{ page: null, text: 'One\nTwo & three' }]);
    expect(await read('a.txt', Buffer.from('\ufeffZażółć', 'utf8'))).toEqual([{ page: null, text: 'Zażółć' }]);
    expect(await read('a.txt', Buffer.from([0x6e, 0x61, 0xef, 0x76, 0x65]))).toEqual([{ page: null, text: 'naïve' }]);
    // What the bytes say comes before the name.
    expect(await read('a.txt', pdf(['Hidden']))).toEqual([{ page: 1, text: 'Hidden' }]);
  });

  it('refuses what is nested without end before it takes long', async () => {
    const reader = new DocumentReader({ workerPath: real, timeoutMs: 20_000 });
    const bytes = Buffer.from(`${'<div>'.repeat(500_000)}text`);
    await expect(reader.read({ name: 'a.html', mediaType: null, bytes }, never)).rejects.toEqual(refusal('damaged'));
    const lines = Buffer.from('line<br>'.repeat(20_000));
    expect((await reader.read({ name: 'a.html', mediaType: null, bytes: lines }, never)).pages[0]?.text).toMatch(
      /^line\nline/,
    );
  });

  it('stops a file that takes too long, and reads the next one', async () => {
    const reader = hostile('for (;;);', 300);
    await expect(reader.read(file, never)).rejects.toEqual(refusal('too_slow'));
    await expect(reader.read(file, never)).rejects.toEqual(refusal('too_slow'));
  });

  it('stops a file that takes too much memory, on the heap or beside it', async () => {
    const heap = hostile('const kept = []; for (;;) kept.push(new Array(100_000).fill(kept.length));');
    await expect(heap.read(file, never)).rejects.toEqual(refusal('too_much_memory'));
    const buffers = hostile(
      'const kept = []; for (;;) { kept.push(Buffer.alloc(16_777_216, 1)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); }',
    );
    await expect(buffers.read(file, never)).rejects.toEqual(refusal('too_much_memory'));
  }, 60_000);

  it('survives a thread that ends without a word, and stops when nobody waits any more', async () => {
    await expect(hostile('process.exit(0);').read(file, never)).rejects.toEqual(refusal('damaged'));
    const gone = new AbortController();
    const reading = hostile('setInterval(() => {}, 1_000);').read(file, gone.signal);
    gone.abort();
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('gives files no environment', async () => {
    process.env['CANARY_KEY'] = 'secret';
    const reader = hostile(
      `import { parentPort } from 'node:worker_threads'; parentPort.postMessage({ pages: [{ page: null, text: JSON.stringify(process.env) }] });`,
    );
    expect((await reader.read(file, never)).pages[0]?.text).not.toContain('CANARY_KEY');
    delete process.env['CANARY_KEY'];
  });
});
