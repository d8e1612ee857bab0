// The archive in a bundle's file: a signature may stand behind it, and is cut off. What it is worth is judged elsewhere.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import yauzl, { type ZipFile } from 'yauzl';

const HEADER = Buffer.from('MCPB_SIG_V1');
const FOOTER = Buffer.from('MCPB_SIG_END');
const LENGTH_BYTES = 4;
const SIGNATURE_BYTES_MAX = 1_048_576;

export async function openBundleArchive(path: string): Promise<ZipFile> {
  const { bytes } = await archiveExtent(path);
  return yauzl.fromRandomAccessReaderPromise(new FileRanges(path), bytes, {
    validateEntrySizes: true,
    strictFileNames: true,
    autoClose: false,
  });
}

/** How far the archive goes, and what official tools append: header, length, signature, footer, to the last byte. */
export async function archiveExtent(path: string): Promise<{ bytes: number; signature: Buffer | null }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const unsigned = { bytes: size, signature: null };
    const last = (length: number) => file.read(Buffer.alloc(length), 0, length, size - length);
    const { buffer: end } = await last(Math.min(size, FOOTER.length));
    if (!end.equals(FOOTER)) return unsigned;
    const length = Math.min(size, SIGNATURE_BYTES_MAX);
    const { buffer: tail } = await last(length);
    const header = tail.lastIndexOf(HEADER);
    const from = header + HEADER.length + LENGTH_BYTES;
    if (header === -1 || from + FOOTER.length > length) return unsigned;
    const to = from + tail.readUInt32LE(header + HEADER.length);
    if (to + FOOTER.length !== length) return unsigned;
    return { bytes: size - length + header, signature: tail.subarray(from, to) };
  } finally {
    await file.close();
  }
}

class FileRanges extends yauzl.RandomAccessReader {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  /** `end` is the first byte that is not wanted. */
  override _readStreamForRange(start: number, end: number): Readable {
    return createReadStream(this.#path, { start, end: end - 1 });
  }
}
