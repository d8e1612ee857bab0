// SHA-256 of large files, beside the main thread, so that answers keep streaming while 5 GB are read.
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { FileDigests } from '../models/ports.js';
import { AppError } from '../shared/errors.js';

/** Where digests are kept between starts, by path, with size and time of the file they belong to. */
export interface DigestMemory {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

interface KnownDigest {
  sizeBytes: number;
  modifiedMs: number;
  sha256: string;
}

// Text, because a worker file of its own would have to be bundled, found and shipped for twelve lines.
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const { openSync, readSync } = require('node:fs');
const hash = createHash('sha256');
const file = openSync(workerData, 'r');
const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
let done = 0;
for (;;) {
  const read = readSync(file, buffer, 0, buffer.length, done);
  if (read === 0) break;
  hash.update(buffer.subarray(0, read));
  done += read;
  parentPort.postMessage({ done });
}
parentPort.postMessage({ sha256: hash.digest('hex') });
`;

export class MachineFileDigests implements FileDigests {
  readonly #memory: DigestMemory;

  constructor(memory: DigestMemory) {
    this.#memory = memory;
  }

  async sha256(path: string, onBytes: (done: number, total: number) => void, signal: AbortSignal): Promise<string> {
    const file = await stat(path).catch((cause) => {
      throw new AppError('invalid_model', `The file ${path} cannot be read.`, { cause });
    });
    const known = this.#remembered(path, file);
    if (known !== null) return known;
    const sha256 = await hashInWorker(path, (done) => onBytes(done, file.size), signal);
    const entry: KnownDigest = { sizeBytes: file.size, modifiedMs: file.mtimeMs, sha256 };
    this.#memory.set(keyOf(path), JSON.stringify(entry));
    return sha256;
  }

  async known(path: string): Promise<string | null> {
    const file = await stat(path).catch(() => null);
    return file && this.#remembered(path, file);
  }

  #remembered(path: string, file: Stats): string | null {
    const known = parse(this.#memory.get(keyOf(path)));
    return known && known.sizeBytes === file.size && known.modifiedMs === file.mtimeMs ? known.sha256 : null;
  }
}

function hashInWorker(path: string, onBytes: (done: number) => void, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { eval: true, workerData: path, stdout: true, stderr: true });
    const finish = (act: () => void) => {
      signal.removeEventListener('abort', abort);
      act();
      void worker.terminate();
    };
    const abort = () => finish(() => reject(new AppError('cancelled', 'Hashing was stopped.')));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    worker.on('message', (message: { done?: number; sha256?: string }) => {
      if (message.done !== undefined) onBytes(message.done);
      if (message.sha256 !== undefined) finish(() => resolve(message.sha256 as string));
    });
    worker.on('error', (cause) =>
      finish(() => reject(new AppError('invalid_model', `The file ${path} cannot be read.`, { cause }))),
    );
  });
}

const keyOf = (path: string): string => `digest:${path}`;

function parse(text: string | undefined): KnownDigest | undefined {
  try {
    return text ? (JSON.parse(text) as KnownDigest) : undefined;
  } catch {
    return undefined;
  }
}
