// The archive in a bundle's file: a signature may stand behind it. It is cut off and not judged: what counts is that a person
// agrees to the hash of the whole file.
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import yauzl, { type ZipFile } from 'yauzl';

const HEADER = Buffer.from('MCPB_SIG_V1');
const FOOTER = Buffer.from('MCPB_SIG_END');
const LENGTH_BYTES = 4;
const SIGNATURE_BYTES_MAX = 1_048_576;

export async function openBundleArchive(path: string): Promise<ZipFile> {
  const file = await open(path, 'r');
  let bytes: number;
  try {
    bytes = await archiveBytes(file);
  } finally {
    await file.close();
  }
  return yauzl.fromRandomAccessReaderPromise(new FileRanges(path), bytes, {
    validateEntrySizes: true,
    strictFileNames: true,
    autoClose: false,
  });
}

/** Without the signature that official tools append: header, length, signature, footer, to the last byte. */
async function archiveBytes(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const { buffer: end } = await file.read(
    Buffer.alloc(FOOTER.length),
    0,
    FOOTER.length,
    Math.max(0, size - FOOTER.length),
  );
  if (!end.equals(FOOTER)) return size;
  const length = Math.min(size, SIGNATURE_BYTES_MAX);
  const { buffer: tail } = await file.read(Buffer.alloc(length), 0, length, size - length);
  const header = tail.lastIndexOf(HEADER);
  const signature = header + HEADER.length + LENGTH_BYTES;
  if (header === -1 || signature + FOOTER.length > length) return size;
  const fits = signature + tail.readUInt32LE(header + HEADER.length) + FOOTER.length === length;
  return fits ? size - length + header : size;
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
