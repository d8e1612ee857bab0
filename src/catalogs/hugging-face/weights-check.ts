// Is a file what its name says? Looked at by content, before any engine sees it: formats that run code when loaded are
// refused whatever they are called.
import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '../../shared/errors.js';

const MAX_HEADER_BYTES = 104_857_600;
const MAX_TENSORS = 200_000;

/** @throws AppError `unsafe_model` for pickles and archives of them, `invalid_model` for damaged safetensors */
export async function checkWeights(path: string, name: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = await read(file, 0, Math.min(8, size));
    if (head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5)
      throw new AppError('unsafe_model', `${name} is a pickle: loading it would run a program. It was deleted.`);
    if (head.toString('latin1', 0, 4) === 'PK\x03\x04')
      throw new AppError('unsafe_model', `${name} is an archive, as pickled weights are. It was deleted.`);
    if (name.endsWith('.safetensors')) await checkSafetensors(file, size, name);
  } finally {
    await file.close();
  }
}

async function checkSafetensors(file: FileHandle, size: number, name: string): Promise<void> {
  const bad = (why: string) => new AppError('invalid_model', `${name} is no valid safetensors file: ${why}.`);
  if (size < 10) throw bad('it is too short');
  const headerBytes = (await read(file, 0, 8)).readBigUInt64LE();
  if (headerBytes > BigInt(Math.min(MAX_HEADER_BYTES, size - 8))) throw bad('its header is longer than it');
  let header: unknown;
  try {
    header = JSON.parse((await read(file, 8, Number(headerBytes))).toString('utf8'));
  } catch {
    throw bad('its header is no JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw bad('its header is no object');
  const room = size - 8 - Number(headerBytes);
  const spans: [number, number][] = [];
  for (const [key, entry] of Object.entries(header)) {
    if (key === '__metadata__') continue;
    const offsets = (entry as { data_offsets?: unknown } | null)?.data_offsets;
    const [from, to] = Array.isArray(offsets) ? offsets : [];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to < from || to > room)
      throw bad('a tensor lies outside of it');
    spans.push([from, to]);
    if (spans.length > MAX_TENSORS) throw bad('it has too many tensors');
  }
  spans.sort(([a], [b]) => a - b);
  for (let index = 1; index < spans.length; index += 1)
    if ((spans[index]?.[0] ?? 0) < (spans[index - 1]?.[1] ?? 0)) throw bad('tensors overlap');
}

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
