// A small Hugging Face on loopback for tests: serves one file, and misbehaves as it is told.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StubHub {
  url: string;
  /** What was asked for, oldest first. */
  requests: { path: string; headers: IncomingHttpHeaders }[];
  /** Each request takes the first of these that is left, else the file is served as it should be. */
  misbehaviours: Misbehaviour[];
  body: Buffer;
  etag: string;
  close(): Promise<void>;
}

export type Misbehaviour =
  | { kind: 'cut'; afterBytes: number }
  | { kind: 'ignore-range' }
  | { kind: 'status'; status: number }
  | { kind: 'redirect'; to: string };

export async function startStubHub(body: Buffer): Promise<StubHub> {
  const hub: Omit<StubHub, 'url' | 'close'> = { requests: [], misbehaviours: [], body, etag: '"one"' };
  const server = createServer((request, response) => {
    hub.requests.push({ path: request.url ?? '', headers: request.headers });
    answer(hub, request.headers, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(hub, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

function answer(hub: Omit<StubHub, 'url' | 'close'>, headers: IncomingHttpHeaders, response: ServerResponse): void {
  const misbehaviour = hub.misbehaviours.shift();
  if (misbehaviour?.kind === 'status') return void response.writeHead(misbehaviour.status).end();
  if (misbehaviour?.kind === 'redirect') return void response.writeHead(302, { location: misbehaviour.to }).end();
  const wanted = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const ranged = wanted > 0 && headers['if-range'] === hub.etag && misbehaviour?.kind !== 'ignore-range';
  const start = ranged ? wanted : 0;
  const rest = hub.body.subarray(start);
  response.writeHead(ranged ? 206 : 200, {
    etag: hub.etag,
    'content-length': rest.length,
    ...(ranged ? { 'content-range': `bytes ${start}-${hub.body.length - 1}/${hub.body.length}` } : {}),
  });
  if (misbehaviour?.kind !== 'cut') return void response.end(rest);
  response.write(rest.subarray(0, misbehaviour.afterBytes), () => setTimeout(() => response.destroy(), 20));
}
