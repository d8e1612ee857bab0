// venom logs: the end of the server's log, and what is added to it.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';

const TAIL_BYTES = 1_000_000;
const POLL_MS = 250;

export async function logs(
  { files, terminal }: CommandContext,
  options: { lines: string; follow?: boolean },
): Promise<void> {
  const count = Number(options.lines);
  if (!Number.isInteger(count) || count < 0) throw new AppError('invalid_input', '--lines must be a whole number.');
  if (!existsSync(files.logFile)) throw new AppError('not_found', `There is no log yet at ${files.logFile}.`);
  const { lines, end } = await readTail(files.logFile, count);
  terminal.result({ path: files.logFile, lines }, lines.join('\n'));
  if (options.follow === true && !terminal.json) await follow(files.logFile, end, (text) => terminal.write(text));
}

export async function readTail(path: string, count: number): Promise<{ lines: string[]; end: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n').filter(Boolean);
    return { lines: count === 0 ? [] : lines.slice(-count), end: start + bytesRead };
  } finally {
    await file.close();
  }
}

async function follow(path: string, from: number, write: (text: string) => void): Promise<never> {
  let position = from;
  for (;;) {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    // The file was put aside and began anew.
    if (size < position) position = 0;
    if (size > position) {
      for await (const bytes of createReadStream(path, { start: position, end: size - 1 }))
        write((bytes as Buffer).toString('utf8'));
      position = size;
    }
    await sleep(POLL_MS);
  }
}
