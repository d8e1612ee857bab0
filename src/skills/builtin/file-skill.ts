// Files of the workspace: read, write, list, move, copy, delete, and several of these in one go. Each change is reported.
import { cp, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { z } from 'zod';
import { AppError, toAppError } from '../../shared/errors.js';
import { isWithin } from '../../shared/is-within.js';
import { BaseSkill, type SkillContext, type SkillResult, skillFunction } from '../base-skill.js';
import type { Workspace } from '../workspace.js';

const MAX_READ_BYTES = 1_048_576;
const MAX_WRITE_CHARS = 1_000_000;
const MAX_LISTED = 1_000;
const MAX_DEPTH = 20;
const MAX_OPERATIONS = 100;
const MAX_COPIED = 10_000;

const Path = z.string().min(1).max(4_096);
const OverwritePolicy = z.enum(['forbid', 'overwrite', 'skip']).default('forbid');
const DryRun = z.boolean().default(false).describe('only say what would happen');

const Operation = z.discriminatedUnion('operation', [
  z.object({ operation: z.enum(['rename', 'move']), source_path: Path, target_path: Path }),
  z.object({
    operation: z.literal('copy'),
    source_path: Path,
    target_path: Path,
    recursive: z.boolean().default(false),
  }),
  z.object({ operation: z.literal('delete'), file_path: Path, recursive: z.boolean().default(false) }),
]);

type OverwritePolicy = z.output<typeof OverwritePolicy>;

/** What became of one operation. */
export interface FileReport {
  operation: string;
  status: 'success' | 'dry_run' | 'skipped' | 'failed';
  dry_run: boolean;
  changed: boolean;
  message: string;
  source_path?: string;
  target_path?: string;
  rollback?: Record<string, unknown>;
  details?: Record<string, unknown>;
}

export class FileSkill extends BaseSkill {
  readonly id = 'file';
  readonly description = 'Reads, writes and arranges files of the workspace.';
  readonly functions = [
    skillFunction({
      name: 'read_file',
      description: 'Reads a text file of the workspace.',
      input: z.object({ file_path: Path }),
      readOnly: true,
      run: async ({ file_path }, { workspace }) => {
        const bytes = await workspace.read(file_path, MAX_READ_BYTES);
        if (bytes.includes(0)) throw new AppError('invalid_input', `${file_path} is no text file.`);
        return { text: bytes.toString('utf8'), untrusted: true };
      },
    }),
    skillFunction({
      name: 'write_file',
      description: 'Writes a text file in the workspace; what it held before is replaced.',
      input: z.object({ file_path: Path, content: z.string().max(MAX_WRITE_CHARS) }),
      run: async ({ file_path, content }, { workspace }) => {
        const before = await kindOf(await workspace.target(file_path));
        const whole = await workspace.write(file_path, content);
        return told({
          operation: 'write',
          status: 'success',
          dry_run: false,
          changed: true,
          message: `${workspace.name(whole)} ${before === null ? 'created' : 'replaced'}.`,
          target_path: workspace.name(whole),
          details: { bytes: Buffer.byteLength(content), replaced: before !== null },
        });
      },
    }),
    skillFunction({
      name: 'list_files',
      description: 'Lists files and folders of the workspace.',
      input: z.object({
        directory: Path.default('.'),
        recursive: z.boolean().default(false),
        max_depth: z.int().min(1).max(MAX_DEPTH).default(3),
      }),
      readOnly: true,
      run: async ({ directory, recursive, max_depth }, context) => {
        const { files, cut } = await listed(directory, recursive ? max_depth : 1, context);
        const lines = files.map(({ path, kind, bytes }) => (kind === 'file' ? `${path} (${bytes} bytes)` : `${path}/`));
        return {
          text:
            files.length === 0 ? 'The folder is empty.' : `${lines.join('\n')}${cut ? '\n[more are not listed]' : ''}`,
          structured: { files, cut },
          untrusted: true,
        };
      },
    }),
    skillFunction({
      name: 'file_exists',
      description: 'Whether a path exists in the workspace.',
      input: z.object({ file_path: Path }),
      readOnly: true,
      run: async ({ file_path }, { workspace }) => {
        const exists = await workspace.existing(file_path).then(
          () => true,
          (error: unknown) => {
            if (toAppError(error).code === 'not_found') return false;
            throw error;
          },
        );
        return { text: exists ? 'It exists.' : 'It does not exist.', structured: { exists } };
      },
    }),
    ...(['rename', 'move'] as const).map((operation) =>
      skillFunction({
        name: `${operation}_path`,
        description: `${operation === 'move' ? 'Moves' : 'Renames'} a file or folder within the workspace.`,
        input: z.object({ source_path: Path, target_path: Path, dry_run: DryRun, overwrite_policy: OverwritePolicy }),
        run: async (input, { workspace }) =>
          told(
            await moved(
              workspace,
              operation,
              input.source_path,
              input.target_path,
              input.dry_run,
              input.overwrite_policy,
            ),
          ),
      }),
    ),
    skillFunction({
      name: 'copy_path',
      description: 'Copies a file, or with recursive a folder, within the workspace.',
      input: z.object({
        source_path: Path,
        target_path: Path,
        dry_run: DryRun,
        overwrite_policy: OverwritePolicy,
        recursive: z.boolean().default(false),
      }),
      run: async (input, context) =>
        told(
          await copied(
            context,
            input.source_path,
            input.target_path,
            input.recursive,
            input.dry_run,
            input.overwrite_policy,
          ),
        ),
    }),
    skillFunction({
      name: 'delete_path',
      description: 'Deletes a file, or with recursive a folder, of the workspace. It cannot be undone.',
      input: z.object({ file_path: Path, dry_run: DryRun, recursive: z.boolean().default(false) }),
      run: async ({ file_path, dry_run, recursive }, { workspace }) =>
        told(await deleted(workspace, file_path, recursive, dry_run)),
    }),
    skillFunction({
      name: 'batch_file_operations',
      description:
        'Several operations in order. operations_json is a JSON list of {operation: rename|move|copy|delete, source_path, target_path} or {operation: delete, file_path}; recursive where folders are meant.',
      input: z.object({
        operations_json: z.string().max(200_000),
        dry_run: DryRun,
        overwrite_policy: OverwritePolicy,
        continue_on_error: z.boolean().default(false),
      }),
      run: async (input, context) => {
        const reports = await batch(input, context);
        const failed = reports.filter(({ status }) => status === 'failed').length;
        const results = { operation: 'batch', dry_run: input.dry_run, failed, reports };
        return { text: JSON.stringify(results, null, 1), structured: results };
      },
    }),
  ];
}

const told = (report: FileReport): SkillResult => ({ text: JSON.stringify(report, null, 1), structured: report });

async function batch(
  input: { operations_json: string; dry_run: boolean; overwrite_policy: OverwritePolicy; continue_on_error: boolean },
  context: SkillContext,
): Promise<FileReport[]> {
  const parsed = z.array(Operation).min(1).max(MAX_OPERATIONS).safeParse(parsedJson(input.operations_json));
  if (!parsed.success)
    throw new AppError(
      'invalid_input',
      `operations_json does not fit: ${parsed.error.issues[0]?.message ?? 'no list'}.`,
    );
  const { workspace } = context;
  const reports: FileReport[] = [];
  for (const each of parsed.data) {
    context.signal.throwIfAborted();
    try {
      if (each.operation === 'delete')
        reports.push(await deleted(workspace, each.file_path, each.recursive, input.dry_run));
      else if (each.operation === 'copy')
        reports.push(
          await copied(
            context,
            each.source_path,
            each.target_path,
            each.recursive,
            input.dry_run,
            input.overwrite_policy,
          ),
        );
      else
        reports.push(
          await moved(
            workspace,
            each.operation,
            each.source_path,
            each.target_path,
            input.dry_run,
            input.overwrite_policy,
          ),
        );
    } catch (thrown) {
      const error = toAppError(thrown);
      reports.push({
        operation: each.operation,
        status: 'failed',
        dry_run: input.dry_run,
        changed: false,
        message: error.code === 'internal' ? 'The operation failed.' : error.message,
        details: { code: error.code },
      });
      if (!input.continue_on_error) break;
    }
    context.onProgress(reports.length, parsed.data.length, null);
  }
  return reports;
}

async function moved(
  workspace: Workspace,
  operation: 'rename' | 'move',
  sourcePath: string,
  targetPath: string,
  dryRun: boolean,
  policy: OverwritePolicy,
): Promise<FileReport> {
  const source = await changeable(workspace, sourcePath);
  const target = await workspace.target(targetPath);
  const names = { source_path: workspace.name(source), target_path: workspace.name(target) };
  const report = { operation, dry_run: dryRun, ...names };
  notIntoItself(source, target);
  const there = await kindOf(target);
  if (there !== null && policy === 'skip')
    return { ...report, status: 'skipped', changed: false, message: `${names.target_path} exists already.` };
  if (there !== null) mayReplace(there, names.target_path, policy);
  if (dryRun) return { ...report, status: 'dry_run', changed: false, message: `${names.source_path} would be moved.` };
  await mkdir(dirname(target), { recursive: true });
  await rename(source, await workspace.target(targetPath));
  return {
    ...report,
    status: 'success',
    changed: true,
    message: `${names.source_path} is now ${names.target_path}.`,
    ...(there === null
      ? { rollback: { operation, source_path: names.target_path, target_path: names.source_path } }
      : {}),
  };
}

async function copied(
  context: SkillContext,
  sourcePath: string,
  targetPath: string,
  recursive: boolean,
  dryRun: boolean,
  policy: OverwritePolicy,
): Promise<FileReport> {
  const { workspace, signal } = context;
  const source = await workspace.existing(sourcePath);
  const target = await workspace.target(targetPath);
  const names = { source_path: workspace.name(source), target_path: workspace.name(target) };
  const report = { operation: 'copy', dry_run: dryRun, ...names };
  const isFolder = (await kindOf(source)) === 'folder';
  if (isFolder && !recursive)
    throw new AppError('invalid_input', `${names.source_path} is a folder; copy it with recursive.`);
  notIntoItself(source, target);
  const there = await kindOf(target);
  if (there !== null && policy === 'skip')
    return { ...report, status: 'skipped', changed: false, message: `${names.target_path} exists already.` };
  if (there !== null) mayReplace(there, names.target_path, policy);
  if (dryRun) return { ...report, status: 'dry_run', changed: false, message: `${names.source_path} would be copied.` };
  let copiedFiles = 0;
  await cp(source, target, {
    recursive: isFolder,
    force: policy === 'overwrite',
    errorOnExist: policy === 'forbid',
    verbatimSymlinks: true,
    // A link could lead anywhere; it is left out rather than copied or followed. So is what git keeps for itself.
    filter: async (path) => {
      signal.throwIfAborted();
      copiedFiles += 1;
      if (copiedFiles > MAX_COPIED)
        throw new AppError('invalid_input', `At most ${MAX_COPIED} files are copied at once.`);
      if (
        path
          .slice(source.length)
          .split(sep)
          .some((part) => part.toLowerCase() === '.git')
      )
        return false;
      return !(await lstat(path)).isSymbolicLink();
    },
  });
  return {
    ...report,
    status: 'success',
    changed: true,
    message: `${names.source_path} was copied to ${names.target_path}.`,
    ...(there === null ? { rollback: { operation: 'delete', file_path: names.target_path, recursive: isFolder } } : {}),
  };
}

async function deleted(workspace: Workspace, path: string, recursive: boolean, dryRun: boolean): Promise<FileReport> {
  const source = await changeable(workspace, path);
  const name = workspace.name(source);
  const report = { operation: 'delete', dry_run: dryRun, source_path: name };
  if ((await kindOf(source)) === 'folder' && !recursive)
    throw new AppError('invalid_input', `${name} is a folder; delete it with recursive.`);
  if (dryRun) return { ...report, status: 'dry_run', changed: false, message: `${name} would be deleted.` };
  await rm(source, { recursive });
  return { ...report, status: 'success', changed: true, message: `${name} is deleted.` };
}

/** The thing itself, also where it is a link: that is moved or deleted and not what it leads to. */
async function changeable(workspace: Workspace, path: string): Promise<string> {
  const real = await workspace.target(path);
  if ((await kindOf(real)) === null)
    throw new AppError('not_found', `There is no ${path.slice(0, 200)} in the workspace.`);
  return real;
}

function notIntoItself(source: string, target: string): void {
  if (isWithin(source, target)) throw new AppError('invalid_input', 'The target is the source or lies in it.');
  if (isWithin(target, source)) throw new AppError('invalid_input', 'The target holds the source.');
}

function mayReplace(there: 'file' | 'folder' | 'other', name: string, policy: OverwritePolicy): void {
  if (policy === 'forbid') throw new AppError('conflict', `${name} exists already.`);
  if (there !== 'file') throw new AppError('conflict', `${name} is no plain file and is not overwritten.`);
}

const kindOf = (path: string): Promise<'file' | 'folder' | 'other' | null> =>
  lstat(path).then(
    (found) => (found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other'),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw error;
    },
  );

/** Links are named and not followed. */
async function listed(directory: string, depth: number, { workspace, signal }: SkillContext) {
  const start = await workspace.existing(directory);
  if ((await kindOf(start)) !== 'folder') throw new AppError('invalid_input', `${directory} is no folder.`);
  const files: { path: string; kind: 'file' | 'folder' | 'other'; bytes: number | null }[] = [];
  let cut = false;
  const walk = async (folder: string, left: number): Promise<void> => {
    signal.throwIfAborted();
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((one, other) => (one.name < other.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name === '.git') continue;
      if (files.length >= MAX_LISTED) {
        cut = true;
        return;
      }
      const path = join(folder, entry.name);
      const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other';
      files.push({ path: workspace.name(path), kind, bytes: kind === 'file' ? (await lstat(path)).size : null });
      if (kind === 'folder' && left > 1) await walk(path, left - 1);
    }
  };
  await walk(start, depth);
  return { files, cut };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError('invalid_input', 'operations_json is not valid JSON.');
  }
}
