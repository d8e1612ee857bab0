// Hugging Face as far as its documented HTTP goes: model facts with blobs, files with ranges and strong tags, lists, news.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRepository {
  files: Record<string, Buffer>;
  gated?: boolean | string;
  license?: string;
  /** In lists, instead of what its files make of it. */
  tags?: string[];
  /** How many weights its list tells, where it is asked for. */
  parameters?: number;
  /** What the list calls its task. */
  task?: string;
  /** Told instead of the true hash. */
  wrongHash?: boolean;
}

export interface FakeHub {
  url: string;
  repositories: Record<string, FakeRepository>;
  /** Bytes of files sent so far. */
  sentBytes: number;
  requests: { path: string; authorization: string | undefined; range: string | undefined }[];
  /** Takes an answer over; true when it did. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** How many bytes of a file's answer are sent before the connection is cut; infinite for all. */
  cutAfter: () => number;
  /** Milliseconds between two pieces of 64 KB. */
  paceMs: number;
  etag: string;
  ranges: boolean;
  close(): Promise<void>;
}

const isGguf = ({ files }: FakeRepository) => Object.keys(files).some((name) => name.endsWith('.gguf'));

const SHA = '0123456789abcdef0123456789abcdef01234567';

export async function startFakeHub(): Promise<FakeHub> {
  const hub: FakeHub = {
    url: '',
    repositories: {},
    sentBytes: 0,
    requests: [],
    intercept: () => false,
    cutAfter: () => Number.POSITIVE_INFINITY,
    paceMs: 0,
    etag: '"v1"',
    ranges: true,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server = createServer((request, response) => void handle(request, response));
  const json = (response: ServerResponse, value: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://hub');
    const { authorization, range } = request.headers;
    hub.requests.push({ path: url.pathname, authorization, range });
    if (hub.intercept(request, response)) return;
    if (url.pathname === '/api/models') {
      const query = url.searchParams.get('search') ?? '';
      const task = url.searchParams.get('pipeline_tag');
      const found = Object.entries(hub.repositories).filter(
        ([id, repository]) =>
          id.includes(query) &&
          (task === null || repository.task === task) &&
          (!url.searchParams.getAll('filter').includes('gguf') || isGguf(repository)),
      );
      const told = url.searchParams.getAll('expand[]');
      json(response, [
        ...found.map(([id, repository]) => ({
          id,
          downloads: 5,
          likes: 1,
          tags: repository.tags ?? (isGguf(repository) ? ['gguf', 'license:mit'] : ['safetensors']),
          ...(told.includes('pipeline_tag') && repository.task ? { pipeline_tag: repository.task } : {}),
          ...(told.includes('gguf') && repository.parameters ? { gguf: { total: repository.parameters } } : {}),
        })),
        { nonsense: true },
      ]);
      return;
    }
    const about = /^\/api\/models\/([^/]+\/[^/]+)$/.exec(url.pathname)?.[1];
    if (about) {
      const repository = hub.repositories[about];
      if (!repository) return void json(response, { error: 'Repository not found' }, 404);
      if (repository.gated === 'denied') return void json(response, { error: 'gated' }, 403);
      json(response, {
        id: about,
        sha: SHA,
        gated: repository.gated ?? false,
        tags: [],
        cardData: repository.license ? { license: repository.license } : null,
        siblings: Object.entries(repository.files).map(([rfilename, content]) => ({
          rfilename,
          size: content.length,
          lfs: {
            sha256: repository.wrongHash ? 'f'.repeat(64) : createHash('sha256').update(content).digest('hex'),
            size: content.length,
          },
        })),
      });
      return;
    }
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([0-9a-f]+)\/(.+)$/.exec(decodeURIComponent(url.pathname));
    const content = file && file[2] === SHA ? hub.repositories[file[1] ?? '']?.files[file[3] ?? ''] : undefined;
    if (!content) return void json(response, { error: 'Entry not found' }, 404);
    await send(request, response, content);
  }

  async function send(request: IncomingMessage, response: ServerResponse, content: Buffer): Promise<void> {
    const [, from, to] = /^bytes=(\d+)-(\d+)?/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    const condition = request.headers['if-range'];
    const partial = hub.ranges && from !== undefined && (condition === undefined || condition === hub.etag);
    const body = partial ? content.subarray(start, to === undefined ? undefined : Number(to) + 1) : content;
    response.writeHead(partial ? 206 : 200, {
      etag: hub.etag,
      'content-length': body.length,
      ...(partial ? { 'content-range': `bytes ${start}-${start + body.length - 1}/${content.length}` } : {}),
    });
    const stopAt = Math.min(body.length, hub.cutAfter());
    for (let at = 0; at < stopAt && !response.destroyed; at += 65_536) {
      const piece = body.subarray(at, Math.min(stopAt, at + 65_536));
      hub.sentBytes += piece.length;
      if (!response.write(piece))
        await new Promise<void>((resolve) => {
          const on = () => {
            response.off('drain', on).off('close', on);
            resolve();
          };
          response.on('drain', on).on('close', on);
        });
      if (hub.paceMs > 0) await new Promise((resolve) => setTimeout(resolve, hub.paceMs));
    }
    if (stopAt === body.length) response.end();
    else setTimeout(() => response.destroy(), 10);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(hub, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
