// OllamaClient (`model_registry_clients`: list_tags, pull, remove): Ollama over its native HTTP API, and over its
// command line where the API cannot be reached.
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { errorText, HttpUpstream } from '../http-upstream.js';
import type { UpstreamTraffic } from '../upstream-traffic.js';
import { Embedded, Progress, Running, Shown, Tags, Version } from './ollama-api.js';

const LIST_MS = 10_000;
const GONE_WITHIN_MS = 10_000;
const REMOVE_MS = 30_000;

export type OllamaTag = NonNullable<z.output<typeof Tags>['models']>[number];
export type OllamaRunning = NonNullable<z.output<typeof Running>['models']>[number];

export interface OllamaProgress {
  message: string;
  receivedBytes: number;
  /** Grows while layers are announced; null before the first. */
  totalBytes: number | null;
}

export interface OllamaClientOptions {
  /** Without `/v1`. */
  baseUrl: string;
  connectTimeoutMs: number;
  idleTimeoutMs: number;
  /** The `ollama` program, where it is installed on this machine. */
  cliPath?: string | null;
  /** For the vectors of one request; the longest silence where none is given. */
  embeddingTimeoutMs?: number;
  traffic?: UpstreamTraffic;
}

export class OllamaClient {
  readonly baseUrl: string;
  readonly #upstream: HttpUpstream;
  readonly #cliPath: string | null;
  readonly #embeddingTimeoutMs: number;

  constructor({ baseUrl, connectTimeoutMs, idleTimeoutMs, embeddingTimeoutMs, cliPath, traffic }: OllamaClientOptions) {
    this.#embeddingTimeoutMs = embeddingTimeoutMs ?? idleTimeoutMs;
    this.baseUrl = baseUrl.replace(/\/+$/, '');
    this.#upstream = new HttpUpstream({ baseUrl: this.baseUrl, headers: {}, connectTimeoutMs, idleTimeoutMs, traffic });
    this.#cliPath = cliPath ?? null;
  }

  get upstream(): HttpUpstream {
    return this.#upstream;
  }

  async listTags(signal?: AbortSignal): Promise<OllamaTag[]> {
    return (await this.#upstream.json('/api/tags', Tags, LIST_MS, { signal, probe: true })).models ?? [];
  }

  async show(model: string, signal?: AbortSignal): Promise<z.output<typeof Shown>> {
    const body = { model: checkedName(model) };
    try {
      return await this.#upstream.json('/api/show', Shown, LIST_MS, { body, signal });
    } catch (error) {
      throw asNotFound(error, model);
    }
  }

  /** What is in memory now. */
  async ps(signal?: AbortSignal): Promise<OllamaRunning[]> {
    return (await this.#upstream.json('/api/ps', Running, LIST_MS, { signal, probe: true })).models ?? [];
  }

  async version(signal?: AbortSignal): Promise<string> {
    return (await this.#upstream.json('/api/version', Version, LIST_MS, { signal, probe: true })).version;
  }

  chat(body: Record<string, unknown>, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.#upstream.send('/api/chat', { body, signal, retry: true });
  }

  /** The same for a text that is gone on with. */
  generate(body: Record<string, unknown>, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.#upstream.send('/api/generate', { body, signal, retry: true });
  }

  async embed(
    model: string,
    texts: readonly string[],
    options: { truncate: boolean; dimensions?: number },
    signal?: AbortSignal,
  ): Promise<z.output<typeof Embedded>> {
    const body = { model: checkedName(model), input: texts, ...options };
    try {
      return await this.#upstream.json('/api/embed', Embedded, this.#embeddingTimeoutMs, { body, signal, retry: true });
    } catch (error) {
      throw asNotFound(error, model);
    }
  }

  /** @throws AppError `model_not_found`, `source_unavailable`, `cancelled` and those of the connection */
  async pull(model: string, onProgress: (progress: OllamaProgress) => void, signal: AbortSignal): Promise<void> {
    checkedName(model);
    try {
      await this.#follow('/api/pull', { model, stream: true }, onProgress, signal);
    } catch (error) {
      if (this.#cliPath && isUnreachable(error)) await this.#cli(['pull', model], onProgress, signal);
      else throw asPullError(error, model);
    }
  }

  async remove(model: string, signal?: AbortSignal): Promise<void> {
    checkedName(model);
    try {
      const response = await this.#upstream.send('/api/delete', { method: 'DELETE', body: { model }, signal });
      if (response.statusCode !== 200) throw await this.#upstream.rejected(response);
      await response.body.dump();
    } catch (error) {
      if (this.#cliPath && isUnreachable(error)) {
        await this.#cli(
          ['rm', model],
          () => {},
          AbortSignal.any([AbortSignal.timeout(REMOVE_MS), signal].filter((one) => one !== undefined)),
        );
      } else throw asNotFound(error, model);
    }
  }

  /** Makes a model of a file on this machine: uploads it where Ollama does not have it, then names it. */
  async create(
    model: string,
    file: { path: string; sha256: string },
    onProgress: (progress: OllamaProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    checkedName(model);
    if (!/^[0-9a-f]{64}$/.test(file.sha256)) throw new AppError('invalid_input', 'The digest is no SHA-256.');
    const digest = `sha256:${file.sha256}`;
    const { size } = await stat(file.path);
    const known = await this.#upstream.send(`/api/blobs/${digest}`, { method: 'HEAD', signal });
    await known.body.dump();
    if (known.statusCode !== 200) {
      let sent = 0;
      const counted = (async function* () {
        for await (const bytes of createReadStream(file.path, { highWaterMark: 1_048_576, signal })) {
          sent += (bytes as Buffer).length;
          onProgress({ message: 'Uploading', receivedBytes: sent, totalBytes: size });
          yield bytes as Buffer;
        }
      })();
      const response = await this.#upstream.send(`/api/blobs/${digest}`, {
        method: 'POST',
        body: counted,
        headers: { 'content-length': String(size) },
        signal,
      });
      if (response.statusCode >= 300) throw await this.#upstream.rejected(response);
      await response.body.dump();
    }
    const name = `${model.split(':')[0]?.split('/').at(-1) ?? 'model'}.gguf`;
    await this.#follow('/api/create', { model, files: { [name]: digest }, stream: true }, onProgress, signal);
  }

  /** @throws AppError `model_not_found` */
  async copy(source: string, destination: string, signal: AbortSignal): Promise<void> {
    const body = { source: checkedName(source), destination: checkedName(destination) };
    const response = await this.#upstream.send('/api/copy', { body, signal });
    if (response.statusCode !== 200) throw asNotFound(await this.#upstream.rejected(response), source);
    await response.body.dump();
  }

  /** Of a model that is here already. */
  async derive(
    model: string,
    derivation: Readonly<Record<string, unknown>> & { from: string },
    onProgress: (progress: OllamaProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    checkedName(derivation.from);
    await this.#follow('/api/create', { ...derivation, model: checkedName(model), stream: true }, onProgress, signal);
  }

  /** Frees its memory, and resolves when `/api/ps` no longer shows it. @throws AppError `upstream_timeout` */
  async unload(model: string, signal?: AbortSignal): Promise<void> {
    const body = { model: checkedName(model), keep_alive: 0 };
    const response = await this.#upstream.send('/api/generate', { body, signal });
    if (response.statusCode !== 200) throw asNotFound(await this.#upstream.rejected(response), model);
    await response.body.dump();
    const deadline = performance.now() + GONE_WITHIN_MS;
    for (;;) {
      const running = await this.ps(signal);
      if (!running.some(({ name }) => sameModel(name, model))) return;
      if (performance.now() > deadline)
        throw new AppError('upstream_timeout', `Ollama still holds ${model} after ${GONE_WITHIN_MS / 1_000} s.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async close(): Promise<void> {
    await this.#upstream.close();
  }

  async #follow(
    path: string,
    body: Record<string, unknown>,
    onProgress: (progress: OllamaProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#upstream.send(path, { body, signal });
    if (response.statusCode !== 200) throw await this.#upstream.rejected(response);
    const layers = new Map<string, { total: number; completed: number }>();
    let done = false;
    for await (const batch of this.#upstream.lines(response)) {
      for (const line of batch) {
        const parsed = Progress.safeParse(line);
        if (!parsed.success) throw new AppError('upstream_protocol', `Ollama answered ${path} in an unknown form.`);
        const { status, digest, total, completed, error } = parsed.data;
        if (error !== undefined) throw new AppError('upstream_rejected', `Ollama failed: ${errorText(error)}`);
        if (digest && total) layers.set(digest, { total, completed: completed ?? 0 });
        if (status === 'success') done = true;
        const all = [...layers.values()];
        onProgress({
          message: status ?? '',
          receivedBytes: all.reduce((sum, layer) => sum + layer.completed, 0),
          totalBytes: all.length > 0 ? all.reduce((sum, layer) => sum + layer.total, 0) : null,
        });
      }
    }
    if (!done) throw new AppError('upstream_truncated', `Ollama broke off ${path} before it was done.`);
  }

  #cli(arguments_: string[], onProgress: (progress: OllamaProgress) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { host } = new URL(this.baseUrl);
      const child = spawn(this.#cliPath as string, arguments_, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/', OLLAMA_HOST: host },
      });
      let last = '';
      const read = (bytes: Buffer) => {
        last = (last + bytes.toString('utf8')).slice(-2_000);
        const message =
          last
            .split(/[\r\n]/)
            .filter(Boolean)
            .at(-1) ?? '';
        onProgress({ message: message.slice(0, 200), receivedBytes: 0, totalBytes: null });
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      const abort = () => child.kill('SIGKILL');
      signal.addEventListener('abort', abort, { once: true });
      child.once('error', (cause) => reject(new AppError('source_unavailable', 'ollama cannot be run.', { cause })));
      child.once('exit', (code) => {
        signal.removeEventListener('abort', abort);
        if (code === 0) resolve();
        else if (signal.aborted) reject(new AppError('cancelled', 'It was stopped.'));
        else reject(new AppError('source_unavailable', `ollama ${arguments_[0]} failed: ${last.trim().slice(-300)}`));
      });
    });
  }
}

/** @throws AppError `invalid_input` for what could be an option, a path or another host */
export function checkedName(model: string): string {
  if (!/^[\w.][\w\-.:/]{0,199}$/.test(model) || model.includes('..'))
    throw new AppError('invalid_input', 'This is no name of an Ollama model.');
  return model;
}

/** `name` and `name:latest` are one. */
export const sameModel = (a: string, b: string): boolean => a.replace(/:latest$/, '') === b.replace(/:latest$/, '');

const isUnreachable = (error: unknown): boolean => error instanceof AppError && error.code === 'upstream_unreachable';

function asNotFound(error: unknown, model: string): unknown {
  const status = error instanceof AppError ? error.details?.['status'] : undefined;
  return status === 404 ? new AppError('model_not_found', `Ollama has no model ${model}.`, { cause: error }) : error;
}

function asPullError(error: unknown, model: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'upstream_rejected') return error;
  if (/file does not exist|not found|pull model manifest: 404/i.test(error.message))
    return new AppError('model_not_found', `The Ollama library has no model ${model}.`, { cause: error });
  if (/digest mismatch/i.test(error.message))
    return new AppError('hash_mismatch', `What Ollama fetched of ${model} is not what its library promises.`, {
      cause: error,
    });
  if (/no space left/i.test(error.message))
    return new AppError('insufficient_storage', 'The disk of Ollama is full.', { cause: error });
  if (/dial tcp|lookup|timeout|connection refused|EOF/i.test(error.message))
    return new AppError('source_unavailable', `Ollama cannot reach its library: ${error.message}`, { cause: error });
  return error;
}
