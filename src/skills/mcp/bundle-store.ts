// Bundles as they were uploaded or found, each under the hash of its bytes, until they are imported. Bounded in size, number
// and age.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../shared/errors.js';

const KEPT_MAX = 50;
const KEPT_MS = 7 * 86_400_000;
export const BUNDLE_HASH = /^[0-9a-f]{64}$/;

export interface BundleStoreOptions {
  dir: string;
  maxBytes: number;
  now: () => number;
}

export class BundleStore {
  readonly #options: BundleStoreOptions;

  constructor(options: BundleStoreOptions) {
    this.#options = options;
  }

  /** On disk when it resolves. @throws AppError `payload_too_large`, `insufficient_storage`, `cancelled` */
  async keep(bytes: Readable, signal?: AbortSignal): Promise<{ hash: string; sizeBytes: number }> {
    const { dir, maxBytes } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await this.#makeRoom();
    const partial = join(dir, `${randomUUID()}.partial`);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const measured = new Transform({
      transform(piece: Buffer, _encoding, done) {
        sizeBytes += piece.length;
        if (sizeBytes > maxBytes)
          return done(new AppError('payload_too_large', `A bundle may have ${maxBytes} bytes at most.`));
        hash.update(piece);
        done(null, piece);
      },
    });
    try {
      await pipeline(bytes, measured, createWriteStream(partial, { flags: 'wx', mode: 0o600 }), {
        ...(signal ? { signal } : {}),
      });
      const file = await open(partial, 'r');
      await file.sync().finally(() => file.close());
      const digest = hash.digest('hex');
      await rename(partial, this.#file(digest));
      return { hash: digest, sizeBytes };
    } catch (error) {
      await rm(partial, { force: true });
      if (signal?.aborted) throw new AppError('cancelled', 'The upload was cancelled.');
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
        throw new AppError('insufficient_storage', 'The disk is full; the bundle could not be kept.', { cause: error });
      throw error;
    }
  }

  has(hash: string): boolean {
    return existsSync(this.#file(hash));
  }

  /** Its file, whose bytes are the ones of this hash. @throws AppError `not_found`, `mcp_import_failed` */
  async path(hash: string): Promise<string> {
    const file = this.#file(hash);
    if (!existsSync(file))
      throw new AppError('not_found', `There is no bundle ${hash.slice(0, 12)}; upload it, or upload it again.`);
    const digest = createHash('sha256');
    await pipeline(createReadStream(file), digest);
    if (digest.digest('hex') !== hash)
      throw new AppError('mcp_import_failed', `The bundle ${hash.slice(0, 12)} was changed on disk; upload it again.`);
    return file;
  }

  async #makeRoom(): Promise<void> {
    const { dir, now } = this.#options;
    const files = await Promise.all(
      (await readdir(dir)).map(async (name) => ({
        name,
        at: (await stat(join(dir, name)).catch(() => null))?.mtimeMs ?? 0,
      })),
    );
    files.sort((a, b) => b.at - a.at);
    const old = files.filter(({ at }, index) => index >= KEPT_MAX - 1 || at < now() - KEPT_MS);
    await Promise.all(old.map(({ name }) => rm(join(dir, name), { force: true })));
  }

  /** @throws AppError `invalid_input`: it becomes a part of a path */
  #file(hash: string): string {
    if (!BUNDLE_HASH.test(hash)) throw new AppError('invalid_input', 'This is no hash of a bundle.');
    return join(this.#options.dir, `${hash}.mcpb`);
  }
}
