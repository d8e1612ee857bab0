// venom memory list|search|add|forget|export|files: what is remembered, and what files taught.
import { createWriteStream, openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import type * as Contract from '../../contract/memory.js';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';
import { formatBytes, table } from '../terminal.js';

const TEXT_CHARS = 80;
const EXPORT_MS = 300_000;
const ADD_FILE_MS = 600_000;

export interface MemoryPlace {
  session?: string;
}

export async function listMemory(context: CommandContext, options: MemoryPlace & { limit: string }): Promise<void> {
  const client = await context.server();
  const page = await client.get<z.output<typeof Contract.MemoryList>>(
    `/api/v1/memory?${new URLSearchParams({ limit: options.limit, ...place(options) })}`,
  );
  const rows = page.memories.map((entry) => [
    entry.memory_id,
    entry.kind,
    entry.session_id ?? 'global',
    entry.created_at,
    oneLine(entry.text),
  ]);
  context.terminal.result(
    page,
    rows.length === 0 ? 'Nothing is remembered.' : table(['ID', 'KIND', 'WHERE', 'SINCE', 'TEXT'], rows),
  );
}

export async function searchMemory(
  context: CommandContext,
  words: readonly string[],
  options: MemoryPlace & { limit: string },
): Promise<void> {
  const client = await context.server();
  const found = await client.post<z.output<typeof Contract.MemorySearchResponse>>('/api/v1/memory/search', {
    query: words.join(' '),
    limit: Number(options.limit),
    ...place(options),
  });
  if (found.degraded !== null) context.terminal.note('Found by words alone: there is no embedding model.');
  const rows = found.results.map(({ score, text, metadata }) => [
    score.toFixed(3),
    String(metadata['memory_id'] ?? ''),
    oneLine(text),
  ]);
  context.terminal.result(found, rows.length === 0 ? 'Nothing was found.' : table(['DISTANCE', 'ID', 'TEXT'], rows));
}

export async function addMemory(
  context: CommandContext,
  words: readonly string[],
  options: MemoryPlace,
): Promise<void> {
  const text = await context.input.question(words);
  if (text === '') throw new AppError('invalid_input', 'Say what to remember, or put it into a pipe.');
  const client = await context.server();
  const answer = await client.post<z.output<typeof Contract.MemoryIngestResponse>>('/api/v1/memory/ingest', {
    text,
    ...place(options),
  });
  context.terminal.result(answer, `${answer.memory_id}: ${answer.message}`);
}

export async function forgetMemory(context: CommandContext, id: string): Promise<void> {
  const client = await context.server();
  const answer = await client.delete(`/api/v1/memory/entries/${encodeURIComponent(id)}`);
  context.terminal.result(answer, `${id} is forgotten.`);
}

/** One entry a line, as JSON, with or without --json. */
export async function exportMemory(context: CommandContext, options: MemoryPlace & { output?: string }): Promise<void> {
  const client = await context.server();
  const query = new URLSearchParams(place(options));
  const response = await client.request(`/api/v1/memory/export?${query}`, {}, EXPORT_MS);
  const lines = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
  if (options.output === undefined) {
    lines.setEncoding('utf8');
    for await (const part of lines) context.terminal.write(part as string);
    return;
  }
  await pipeline(lines, createWriteStream(options.output, { mode: 0o600 }));
  context.terminal.result({ path: options.output }, `Wrote ${options.output}`);
}

export async function addFiles(context: CommandContext, paths: readonly string[], options: MemoryPlace): Promise<void> {
  const client = await context.server();
  const files: z.output<typeof Contract.KnowledgeUploadResponse>[] = [];
  for (const path of paths) {
    const body = await openFile(path);
    const query = new URLSearchParams({ name: basename(path), ...place(options) });
    const response = await client.request(
      `/api/v1/knowledge/files?${query}`,
      { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body },
      ADD_FILE_MS,
    );
    files.push((await response.json()) as z.output<typeof Contract.KnowledgeUploadResponse>);
  }
  context.terminal.result(
    { files },
    files
      .map(
        ({ added, file }) => `${file.name}: ${added ? `${file.chunks} pieces are remembered` : 'was known already'}.`,
      )
      .join('\n'),
  );
}

export async function listFiles(context: CommandContext, options: MemoryPlace & { limit: string }): Promise<void> {
  const client = await context.server();
  const page = await client.get<z.output<typeof Contract.KnowledgeList>>(
    `/api/v1/knowledge/files?${new URLSearchParams({ limit: options.limit, ...place(options) })}`,
  );
  const rows = page.files.map((file) => [
    file.file_id,
    file.name,
    formatBytes(file.size_bytes),
    String(file.chunks),
    file.session_id ?? 'global',
    file.created_at,
  ]);
  context.terminal.result(
    page,
    rows.length === 0 ? 'There are no files.' : table(['ID', 'NAME', 'SIZE', 'PIECES', 'WHERE', 'SINCE'], rows),
  );
}

async function openFile(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch (cause) {
    throw new AppError('invalid_input', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

const place = ({ session }: MemoryPlace): Record<string, string> =>
  session === undefined ? {} : { session_id: session };
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, TEXT_CHARS);
