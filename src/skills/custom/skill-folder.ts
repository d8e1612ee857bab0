// A custom skill as it lies on disk: read whole and within bounds, and hashed, so that a yes is a yes to these very bytes.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';

const MAX_FILES = 64;
const MAX_BYTES = 2_097_152;
const MAX_DEPTH = 4;
export const SKILL_NAME = /^[a-z][a-z0-9_-]{0,23}$/;

const Manifest = z.object({
  description: z.string().min(1).max(2_000),
  functions: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,29}$/),
      z.object({
        description: z.string().min(1).max(2_000),
        input: z.looseObject({ type: z.literal('object') }),
        readOnly: z.boolean().default(false),
      }),
    )
    .refine((functions) => Object.keys(functions).length <= 50, 'has more than 50 functions'),
});
/** As Agent Skills have it. */
const Instructions = z.looseObject({ name: z.string().min(1).max(200), description: z.string().min(1).max(2_000) });

export interface SkillFolder {
  name: string;
  hash: string;
  files: ReadonlyMap<string, Buffer>;
  /** Of a skill with code. */
  manifest: z.output<typeof Manifest> | null;
  /** Of one that is a text to follow. */
  instructions: { name: string; description: string; body: string } | null;
}

/** @throws AppError `invalid_input` for what is no skill */
export async function readSkillFolder(folder: string): Promise<SkillFolder> {
  const name = basename(folder);
  if (!SKILL_NAME.test(name)) throw problem(name, 'its name must be small letters, digits, - and _');
  return skillOf(name, await skillFiles(folder));
}

/** The same of files that lie elsewhere. @throws AppError `invalid_input` for what is no skill */
export function skillOf(name: string, files: ReadonlyMap<string, Buffer>): SkillFolder {
  const hash = createHash('sha256');
  for (const [path, bytes] of files) hash.update(`${path.length}:${path}${bytes.length}:`).update(bytes);
  const manifest = files.get('skill.json');
  const text = files.get('SKILL.md');
  if (manifest && !files.has('skill.mjs')) throw problem(name, 'there is no skill.mjs');
  if (!manifest && !text) throw problem(name, 'there is neither skill.json nor SKILL.md');
  return {
    name,
    files,
    hash: hash.digest('hex'),
    manifest: manifest ? parsed(Manifest, () => JSON.parse(manifest.toString('utf8')), name) : null,
    instructions: text ? instructionsOf(text.toString('utf8'), name) : null,
  };
}

function instructionsOf(text: string, name: string) {
  const [, head, body] = /^---\r?\n([\s\S]{0,20000}?)\r?\n---\r?\n([\s\S]*)$/.exec(text) ?? [];
  if (head === undefined || body === undefined) throw problem(name, 'SKILL.md has no front matter');
  const front = parsed(Instructions, () => parse(head, { maxAliasCount: 0 }), name);
  return { name: front.name, description: front.description, body: body.trim() };
}

function parsed<T>(shape: z.ZodType<T>, read: () => unknown, name: string): T {
  let given: unknown;
  try {
    given = read();
  } catch (cause) {
    throw new AppError('invalid_input', `The skill ${name} cannot be read.`, { cause });
  }
  const result = shape.safeParse(given);
  if (!result.success) throw problem(name, result.error.issues[0]?.message ?? 'its description does not fit');
  return result.data;
}

/** By path, in a fixed order. @throws AppError `invalid_input` where they are too many, too large or no plain files */
export async function skillFiles(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const name = basename(folder);
  const files = new Map<string, Buffer>();
  let bytes = 0;
  const walk = async (inner: string, depth: number): Promise<void> => {
    const entries = await readdir(inner, { withFileTypes: true });
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const path = join(inner, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH) await walk(path, depth + 1);
      else if (entry.isFile()) {
        if (files.size >= MAX_FILES) throw problem(name, `it has more than ${MAX_FILES} files`);
        const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        try {
          bytes += (await file.stat()).size;
          if (bytes > MAX_BYTES) throw problem(name, `it is larger than ${MAX_BYTES} bytes`);
          files.set(relative(folder, path).split(sep).join('/'), await file.readFile());
        } finally {
          await file.close();
        }
      } else throw problem(name, `${entry.name} is a link or lies too deep`);
    }
  };
  await walk(folder, 0);
  return files;
}

/** Something in a folder that may be no skill. */
export interface FoundFile {
  sizeBytes: number;
  /** Null for a link, and where a folder holds more than a skill may. */
  bytes: Buffer | null;
  /** Where a link says it leads; nobody went there. */
  linkTo: string | null;
}

/** By path, whatever it is: as much as a skill may hold, links by their names only, so that its owner can tidy up. */
export async function foundFiles(folder: string): Promise<ReadonlyMap<string, FoundFile>> {
  const found = new Map<string, FoundFile>();
  let bytes = 0;
  const look = async (path: string): Promise<FoundFile | null> => {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return { sizeBytes: 0, bytes: null, linkTo: await readlink(path) };
    if (!stats.isFile()) return null;
    bytes += stats.size;
    if (bytes > MAX_BYTES) return { sizeBytes: stats.size, bytes: null, linkTo: null };
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const text = await file.readFile().finally(() => file.close());
    return { sizeBytes: text.length, bytes: text, linkTo: null };
  };
  const walk = async (inner: string, depth: number): Promise<void> => {
    const entries = await readdir(inner, { withFileTypes: true });
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      if (found.size >= MAX_FILES) return;
      const path = join(inner, entry.name);
      if (entry.isDirectory()) {
        if (depth < MAX_DEPTH) await walk(path, depth + 1);
        continue;
      }
      const file = await look(path);
      if (file) found.set(relative(folder, path).split(sep).join('/'), file);
    }
  };
  await walk(folder, 0);
  return found;
}

const problem = (name: string, reason: string) => new AppError('invalid_input', `${name} is no skill: ${reason}.`);
