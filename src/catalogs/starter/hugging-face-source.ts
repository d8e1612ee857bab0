// One file of Hugging Face, or of a mirror of it: ranged, resumed with If-Range, the token only to its own origin.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { AppError } from '../../shared/errors.js';
import type { ExpectedFile } from './verified-file.js';
import { PartFile } from './verified-file.js';

const CONNECT_TIMEOUT_MS = 8_000;
const STALL_MS = 30_000;
const MAX_REDIRECTS = 5;
const TRIES = 4;

export interface HuggingFaceSourceOptions {
  baseUrl: string;
  token?: string | undefined;
  repo: string;
  revision: string;
  file: string;
  fetch: typeof fetch;
  /** Shorter in tests. */
  retryDelayMs?: number;
}

export async function downloadFromHuggingFace(
  options: HuggingFaceSourceOptions,
  expected: ExpectedFile,
  partPath: string,
  finalPath: string,
  onProgress: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await downloadOnce(options, expected, partPath, finalPath, onProgress, signal);
    } catch (error) {
      if (signal.aborted) throw new AppError('cancelled', 'The download was cancelled.', { cause: error });
      const retry = !(error instanceof AppError) || error.code === 'download_failed';
      if (!retry || attempt >= TRIES)
        throw error instanceof AppError
          ? error
          : new AppError('source_unavailable', `${new URL(options.baseUrl).host} cannot be reached.`, { cause: error });
      // Without one byte so far the source is not there; waiting longer would only delay the next source.
      if (!(error instanceof AppError) && attempt >= 2)
        throw new AppError('source_unavailable', `${new URL(options.baseUrl).host} cannot be reached.`, {
          cause: error,
        });
      await new Promise((resolve) => setTimeout(resolve, (options.retryDelayMs ?? 500) * attempt));
    }
  }
}

async function downloadOnce(
  options: HuggingFaceSourceOptions,
  expected: ExpectedFile,
  partPath: string,
  finalPath: string,
  onProgress: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const tagPath = `${partPath}.etag`;
  const tag = await readFile(tagPath, 'utf8').catch(() => '');
  // Without the tag of the first part nobody knows whether the rest belongs to it.
  let part = await PartFile.open(partPath, expected, { resume: tag !== '' });
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), CONNECT_TIMEOUT_MS);
  try {
    if (part.bytes === expected.sizeBytes) return await part.commit(finalPath);
    const range: Record<string, string> = part.bytes > 0 ? { range: `bytes=${part.bytes}-`, 'if-range': tag } : {};
    const response = await follow(options, range, AbortSignal.any([signal, stall.signal]));
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
    } else if (response.status !== 200) {
      const code = response.status >= 500 || response.status === 429 ? 'download_failed' : 'source_unavailable';
      throw new AppError(code, `${new URL(options.baseUrl).host} answered HTTP ${response.status}.`);
    }
    const newTag = response.headers.get('etag') ?? '';
    if (newTag && !newTag.startsWith('W/')) await writeFile(tagPath, newTag);
    else await rm(tagPath, { force: true });
    if (!response.body) throw new AppError('download_failed', 'The source sent nothing.');
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), STALL_MS);
      await part.write(bytes);
      onProgress(part.bytes);
    }
    await part.commit(finalPath);
    await rm(tagPath, { force: true });
  } catch (error) {
    if (error instanceof AppError && (error.code === 'hash_mismatch' || error.code === 'insufficient_storage')) {
      await part.discard();
      await rm(tagPath, { force: true });
      throw error;
    }
    await part.close();
    if (part.bytes > 0 && !(error instanceof AppError))
      throw new AppError('download_failed', 'The download broke off.', { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

// Redirects are followed here, so that the token stays with the origin it was given for.
async function follow(
  options: HuggingFaceSourceOptions,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const home = new URL(options.baseUrl);
  let url = new URL(
    `${options.baseUrl}/${options.repo}/resolve/${options.revision}/${encodeURIComponent(options.file)}`,
  );
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const own = url.origin === home.origin;
    const response = await options.fetch(url, {
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(own && options.token ? { authorization: `Bearer ${options.token}` } : {}),
      },
      redirect: 'manual',
      signal,
    });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !location) return response;
    const next = new URL(location, url);
    if (next.protocol !== 'https:' && next.protocol !== home.protocol)
      throw new AppError('source_unavailable', 'The source redirects to an unsafe address.');
    await response.body?.cancel();
    url = next;
  }
  throw new AppError('source_unavailable', 'The source redirects without end.');
}
