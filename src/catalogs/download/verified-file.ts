// Bytes become a file under its final name only when size and hash are right: part file, hash while writing, fsync, rename.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../shared/errors.js';

const SPARE_BYTES = 64 * 1_048_576;

export interface ExpectedFile {
  sizeBytes: number;
  /** Hex; null where the source does not know it, and only the size can be compared. */
  sha256: string | null;
}

/** @throws AppError `insufficient_storage` with the figures, before the first byte is written */
export async function refuseWithoutSpace(folder: string, neededBytes: number): Promise<void> {
  const disk = await statfs(folder);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes < neededBytes + SPARE_BYTES) {
    throw new AppError(
      'insufficient_storage',
      `The model needs ${megabytes(neededBytes)} MB, but ${folder} has ${megabytes(freeBytes)} MB free.`,
      {
        details: { needed_bytes: neededBytes, free_bytes: freeBytes },
      },
    );
  }
}

export class PartFile {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #expected: ExpectedFile;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(file: FileHandle, path: string, expected: ExpectedFile) {
    this.#file = file;
    this.#path = path;
    this.#expected = expected;
  }

  /** With `resume`, what is there already is hashed and kept. */
  static async open(path: string, expected: ExpectedFile, { resume }: { resume: boolean }): Promise<PartFile> {
    const existing = resume
      ? await stat(path).then(
          ({ size }) => size,
          () => 0,
        )
      : 0;
    const usable = existing <= expected.sizeBytes ? existing : 0;
    const part = new PartFile(await open(path, usable > 0 ? 'r+' : 'w', 0o600), path, expected);
    if (usable > 0) {
      for await (const bytes of createReadStream(path, { end: usable - 1 })) part.#hash.update(bytes as Buffer);
      part.#bytes = usable;
    }
    return part;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws AppError `hash_mismatch` when there is more than expected, `insufficient_storage` on a full disk */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#bytes + bytes.length > this.#expected.sizeBytes) {
      throw new AppError('hash_mismatch', `The source sent more than the expected ${this.#expected.sizeBytes} bytes.`);
    }
    // A disk that is almost full takes a part of it and says so only by the count.
    for (let done = 0; done < bytes.length; ) {
      try {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#bytes);
        this.#hash.update(bytes.subarray(done, done + bytesWritten));
        this.#bytes += bytesWritten;
        done += bytesWritten;
      } catch (cause) {
        throw diskError(cause);
      }
    }
  }

  /**
   * Verifies and moves the file to its final name. A wrong one is deleted. @returns its SHA-256
   * @throws AppError `hash_mismatch`, `download_failed`
   */
  async commit(finalPath: string): Promise<string> {
    if (this.#bytes < this.#expected.sizeBytes) {
      throw new AppError(
        'download_failed',
        `The source ended after ${this.#bytes} of ${this.#expected.sizeBytes} bytes.`,
      );
    }
    const actual = this.#hash.digest('hex');
    if (this.#expected.sha256 !== null && actual !== this.#expected.sha256) {
      await this.discard();
      throw new AppError(
        'hash_mismatch',
        `The file has SHA-256 ${actual}, expected ${this.#expected.sha256}; it was deleted.`,
      );
    }
    try {
      await this.#file.sync();
      await this.#file.close();
      await rename(this.#path, finalPath);
      const folder = await open(dirname(finalPath), 'r');
      await folder.sync().finally(() => folder.close());
      return actual;
    } catch (cause) {
      throw diskError(cause);
    }
  }

  /** Keeps the bytes for the next try. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  /** On a full disk: gives some of it back, because others need room to write too, and keeps the rest for the next try. */
  async giveBack(): Promise<void> {
    const back = Math.min(SPARE_BYTES, Math.ceil(this.#bytes / 10));
    this.#bytes -= back;
    await this.#file.truncate(this.#bytes).catch(() => {});
    await this.close();
  }

  async discard(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }
}

/** A full disk by its code, anything else as it is. */
export function diskError(cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('insufficient_storage', 'The disk is full; the model was not installed.', { cause });
  return cause;
}

const megabytes = (bytes: number): number => Math.round(bytes / 1_000_000);
