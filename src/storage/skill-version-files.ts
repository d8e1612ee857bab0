// Approved versions of custom skills: a folder for each skill, a file for each version, and one that says which is in use.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../shared/errors.js';
import type { SkillRecord, SkillVersionStore } from '../skills/custom/skill-versions.js';
import { removeUnfinished } from './unfinished-files.js';

const VERSIONS_KEPT = 10;
const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const StoredRecord = z.object({
  enabled: z.boolean(),
  approved: Hash,
  versions: z.array(z.object({ hash: Hash, approvedAt: z.number() })),
});
const StoredFiles = z.record(z.string(), z.base64());

export class SkillVersionFiles implements SkillVersionStore {
  readonly #dir: string;
  readonly #now: () => number;
  readonly #records = new Map<string, SkillRecord>();

  constructor(dir: string, now: () => number) {
    this.#dir = dir;
    this.#now = now;
    for (const name of existsSync(dir) ? readdirSync(dir) : []) {
      removeUnfinished([join(dir, name)]);
      try {
        this.#records.set(name, StoredRecord.parse(JSON.parse(readFileSync(this.#recordPath(name), 'utf8'))));
      } catch {
        // A skill whose yes cannot be read has none: it asks again.
      }
    }
  }

  get(name: string): SkillRecord | undefined {
    return this.#records.get(name);
  }

  files(name: string, hash: string): ReadonlyMap<string, Buffer> {
    if (!this.#records.get(name)?.versions.some((version) => version.hash === hash))
      throw new AppError('not_found', `${name} has no approved version ${hash.slice(0, 12)}.`);
    try {
      const files = StoredFiles.parse(JSON.parse(readFileSync(this.#versionPath(name, hash), 'utf8')));
      return new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text, 'base64')]));
    } catch (cause) {
      throw new AppError('store_corrupt', `Version ${hash.slice(0, 12)} of ${name} cannot be read.`, { cause });
    }
  }

  approve(name: string, hash: string, files: ReadonlyMap<string, Buffer>): void {
    const former = this.#records.get(name)?.versions.filter((version) => version.hash !== hash) ?? [];
    const versions = [{ hash, approvedAt: this.#now() }, ...former];
    const texts = Object.fromEntries([...files].map(([path, bytes]) => [path, bytes.toString('base64')]));
    this.#write(name, this.#versionPath(name, hash), texts);
    this.#save(name, { enabled: true, approved: hash, versions: versions.slice(0, VERSIONS_KEPT) });
    for (const old of versions.slice(VERSIONS_KEPT)) rmSync(this.#versionPath(name, old.hash), { force: true });
  }

  setEnabled(name: string, enabled: boolean): void {
    const record = this.#records.get(name);
    if (!record) throw new AppError('not_found', `No version of ${name} was approved yet.`);
    this.#save(name, { ...record, enabled });
  }

  delete(name: string): void {
    if (!this.#records.delete(name)) return;
    rmSync(join(this.#dir, name), { recursive: true, force: true });
  }

  #save(name: string, record: SkillRecord): void {
    this.#write(name, this.#recordPath(name), record);
    this.#records.set(name, record);
  }

  /** Names come from our own check of them, hashes from our own hashing. */
  #recordPath(name: string): string {
    return join(this.#dir, name, 'record.json');
  }

  #versionPath(name: string, hash: string): string {
    return join(this.#dir, name, `${hash}.json`);
  }

  #write(name: string, path: string, value: unknown): void {
    const partial = `${path}.partial`;
    try {
      mkdirSync(join(this.#dir, name), { recursive: true, mode: 0o700 });
      const file = openSync(partial, 'w', 0o600);
      try {
        writeSync(file, JSON.stringify(value));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(partial, path);
    } catch (cause) {
      throw new AppError('store_unavailable', `The approval of ${name} could not be written.`, { cause });
    }
  }
}
