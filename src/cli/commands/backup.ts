// venom backup create|list|remove, venom restore: copies of the database, made in use and brought back at rest.
import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Backup, BackupList, BackupRemoved } from '../../contract/backups.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import { backupPath, listBackups, restoreBackup } from '../../storage/backups.js';
import { SCHEMA_VERSION } from '../../storage/sqlite-store.js';
import type { CommandContext } from '../command-context.js';
import { formatBytes, table } from '../terminal.js';

const MAKE_TIMEOUT_MS = 600_000;

export async function createBackup(context: CommandContext, { output }: { output?: string }): Promise<void> {
  if (output !== undefined && existsSync(output))
    throw new AppError('conflict', `${resolve(output)} is there already; name another file.`);
  const client = await context.server();
  const made = await client.post<Backup>('/api/v1/system/backups', {}, MAKE_TIMEOUT_MS);
  const said = [`Made ${made.name} (${formatBytes(made.size_bytes)}).`];
  if (output !== undefined) {
    const response = await client.request(`/api/v1/system/backups/${made.name}`, {}, MAKE_TIMEOUT_MS);
    await writeWhole(response, resolve(output));
    said.push(`A copy is at ${resolve(output)}.`);
  }
  context.terminal.result(output === undefined ? made : { ...made, path: resolve(output) }, said.join('\n'));
}

/** From the folder itself, so that it works where no server starts any more. */
export async function listOfBackups(context: CommandContext): Promise<void> {
  const files = listBackups(storePath(context));
  const page: BackupList = {
    backups: files.map(({ name, kind, createdAt, sizeBytes }) => ({
      name,
      kind,
      created_at: isoUtc(createdAt.getTime()),
      size_bytes: sizeBytes,
    })),
    count: files.length,
  };
  const rows = page.backups.map((file) => [
    file.name,
    file.kind.replace('_', ' '),
    file.created_at,
    formatBytes(file.size_bytes),
  ]);
  context.terminal.result(
    page,
    rows.length === 0 ? 'There are no backups.' : table(['NAME', 'KIND', 'MADE', 'SIZE'], rows),
  );
}

export async function removeOneBackup(context: CommandContext, name: string): Promise<void> {
  const client = await context.server();
  const removed = await client.delete<BackupRemoved>(`/api/v1/system/backups/${encodeURIComponent(name)}`);
  context.terminal.result(removed, `Removed ${removed.name}.`);
}

/** @throws AppError `store_locked` while the server of the data folder runs */
export async function restore(context: CommandContext, name: string): Promise<void> {
  const path = storePath(context);
  const source = existsSync(resolve(name)) && basename(name) !== name ? resolve(name) : sourceOf(path, name);
  const replaced = await restoreBackup(path, source, SCHEMA_VERSION, new Date());
  const lines = [
    `Restored ${source}.`,
    ...(replaced === null ? [] : [`What was there is kept as ${replaced}.`]),
    'Start Venom with `venom start`.',
  ];
  context.terminal.result({ restored: source, replaced }, lines.join('\n'));
}

/** A name among the backups comes first, a file in this folder second. */
function sourceOf(path: string, name: string): string {
  if (listBackups(path).some((file) => file.name === name) || !existsSync(resolve(name))) return backupPath(path, name);
  return resolve(name);
}

const storePath = ({ settings }: CommandContext): string => join(settings.VENOM_DATA_DIR, 'venom.db');

/** The file has its name only once it is whole. */
async function writeWhole(response: Response, path: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await pipeline(
      response.body as AsyncIterable<Uint8Array>,
      createWriteStream(partial, { mode: 0o600, flush: true }),
    );
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
