// One file over HTTP: ranged, resumed with If-Range, hashed while written, the token only to its own origin.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { AppError } from '../../shared/errors.js';
import type { BandwidthLimit } from './bandwidth-limit.js';
import { type FileSource, follow } from './follow.js';
import { diskError, type ExpectedFile, PartFile } from './verified-file.js';

const CONNECT_TIMEOUT_MS = 8_000;
const STALL_MS = 30_000;
const TRIES_WITHOUT_A_BYTE = 4;
const TRIES = 100;
const MAX_WAIT_MS = 30_000;

export interface RangedSource extends FileSource {
  limit?: BandwidthLimit | undefined;
  /** Shorter in tests. */
  retryDelayMs?: number | undefined;
  stallMs?: number | undefined;
}

interface Attempt {
  source: RangedSource;
  expected: ExpectedFile;
  partPath: string;
  finalPath: string;
  onProgress: (receivedBytes: number) => void;
  signal: AbortSignal;
}

let proxy: EnvHttpProxyAgent | undefined;

/** Node's `fetch`, by way of the proxy that the environment names. */
export const fetchByEnvironment: typeof fetch = ((input: string | URL, init?: object) => {
  proxy ??= new EnvHttpProxyAgent();
  return undiciFetch(input, { ...init, dispatcher: proxy });
}) as unknown as typeof fetch;

/**
 * Gives up only after several tries in a row that brought nothing new.
 * @returns the SHA-256 of the file, which lies under `finalPath` then
 * @throws AppError `source_unavailable`, `download_failed`, `hash_mismatch`, `insufficient_storage`, `gated_model`, `cancelled`
 */
export async function downloadRanged(
  source: RangedSource,
  expected: ExpectedFile,
  partPath: string,
  finalPath: string,
  onProgress: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const { host } = new URL(source.url);
  let best = 0;
  let fruitless = 0;
  const attempt: Attempt = {
    source,
    expected,
    partPath,
    finalPath,
    signal,
    onProgress: (received) => {
      if (received > best) {
        best = received;
        fruitless = 0;
      }
      onProgress(received);
    },
  };
  for (let tries = 1; ; tries += 1) {
    try {
      return await downloadOnce(attempt);
    } catch (error) {
      if (signal.aborted) throw new AppError('cancelled', 'The download was cancelled.', { cause: error });
      fruitless += 1;
      const unreachable = new AppError('source_unavailable', `${host} cannot be reached.`, { cause: error });
      const retry = !(error instanceof AppError) || error.code === 'download_failed';
      if (!retry || fruitless >= TRIES_WITHOUT_A_BYTE || tries >= TRIES)
        throw error instanceof AppError ? error : unreachable;
      // Without one byte so far the source is not there; waiting longer would only delay the next source.
      if (!(error instanceof AppError) && best === 0 && fruitless >= 2) throw unreachable;
      const told = error instanceof AppError ? error.details?.['retry_after_ms'] : undefined;
      const delay = (source.retryDelayMs ?? 500) * 2 ** (fruitless - 1) * (0.75 + Math.random() / 2);
      const wait = Math.min(MAX_WAIT_MS, typeof told === 'number' ? told : delay);
      await setTimeout(wait, undefined, { signal }).catch(() => {});
    }
  }
}

async function downloadOnce({ source, expected, partPath, finalPath, onProgress, signal }: Attempt): Promise<string> {
  const tagPath = `${partPath}.etag`;
  const tag = await readFile(tagPath, 'utf8').catch(() => '');
  // Without the tag of the first part nobody knows whether the rest belongs to it.
  let part = await PartFile.open(partPath, expected, { resume: tag !== '' });
  const stall = new AbortController();
  let timer = globalThis.setTimeout(() => stall.abort(), source.stallMs ?? CONNECT_TIMEOUT_MS);
  let answered = false;
  const done = async (): Promise<string> => {
    const sha256 = await part.commit(finalPath);
    await rm(tagPath, { force: true });
    return sha256;
  };
  try {
    if (part.bytes === expected.sizeBytes && part.bytes > 0) return await done();
    const range: Record<string, string> = part.bytes > 0 ? { range: `bytes=${part.bytes}-`, 'if-range': tag } : {};
    const response = await follow(source, range, AbortSignal.any([signal, stall.signal]));
    if (response.status === 416 || (response.status === 200 && part.bytes > 0)) {
      await part.discard();
      part = await PartFile.open(partPath, expected, { resume: false });
      if (response.status === 416) throw new AppError('download_failed', 'The source refused the range.');
    } else if (response.status === 206) {
      const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
      if (Number(start) !== part.bytes) throw new AppError('download_failed', 'The source answered another range.');
      const current = response.headers.get('etag');
      if (current && current !== tag) {
        await part.discard();
        throw new AppError('download_failed', 'The file changed at its source; the download begins again.');
      }
    } else if (response.status !== 200) throw await refusal(response, source.url);
    const newTag = response.headers.get('etag') ?? '';
    if (newTag && !newTag.startsWith('W/')) await writeFile(tagPath, newTag);
    else await rm(tagPath, { force: true });
    if (!response.body) throw new AppError('download_failed', 'The source sent nothing.');
    answered = true;
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = globalThis.setTimeout(() => stall.abort(), source.stallMs ?? STALL_MS);
      await part.write(bytes);
      onProgress(part.bytes);
      await source.limit?.take(bytes.length, signal);
    }
    return await done();
  } catch (thrown) {
    const error = diskError(thrown);
    if (error instanceof AppError && error.code === 'insufficient_storage') {
      await part.giveBack();
      throw error;
    }
    if (error instanceof AppError && error.code === 'hash_mismatch') {
      await part.discard();
      await rm(tagPath, { force: true });
      throw error;
    }
    await part.close();
    // A source that began to answer is there, though its connections may break before their first byte.
    if ((answered || part.bytes > 0) && !(error instanceof AppError))
      throw new AppError('download_failed', 'The download broke off.', { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function refusal(response: Response, url: string): Promise<AppError> {
  await response.body?.cancel();
  const { host } = new URL(url);
  const { status } = response;
  if (status === 401 || status === 403)
    return new AppError(
      'gated_model',
      `${host} answered HTTP ${status}: accept the model's terms there and set HF_TOKEN to a token that may read it.`,
    );
  const passing = status >= 500 || status === 429 || status === 408;
  const retryAfter = response.headers.get('retry-after') ?? '';
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1_000;
  return new AppError(passing ? 'download_failed' : 'source_unavailable', `${host} answered HTTP ${status}.`, {
    ...(Number.isFinite(seconds) && seconds > 0 ? { details: { retry_after_ms: seconds * 1_000 } } : {}),
  });
}
