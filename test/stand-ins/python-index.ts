// An index of Python packages on loopback with one package of one module, as wheels: of one version, and of newer ones.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { archive } from './bundles.js';

export interface PythonIndex {
  /** As pip's `index-url`. */
  url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** SHA-256 of the wheel of a version. */
  hash(version: string): string;
  close(): Promise<void>;
}

interface Wheel {
  name: string;
  bytes: Buffer;
  hash: string;
}

export async function startPythonIndex(
  name: string,
  version: string,
  source: string,
  newer: Readonly<Record<string, string>> = {},
): Promise<PythonIndex> {
  const wheels = new Map(
    Object.entries({ [version]: source, ...newer }).map(([each, code]) => [each, wheelOf(name, each, code)]),
  );
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (path === `/simple/${name}/`)
      return response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(
          `<!DOCTYPE html>${[...wheels.values()]
            .map((wheel) => `<a href="/files/${wheel.name}#sha256=${wheel.hash}">${wheel.name}</a>`)
            .join('\n')}`,
        );
    const wheel = [...wheels.values()].find((each) => path === `/files/${each.name}`);
    if (wheel) return response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(wheel.bytes);
    return response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`,
    asked,
    hash: (each) => wheels.get(each)?.hash ?? '',
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function wheelOf(name: string, version: string, source: string): Wheel {
  const info = `${name}-${version}.dist-info`;
  const bytes = archive([
    { name: `${name}.py`, text: source },
    { name: `${info}/METADATA`, text: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n` },
    { name: `${info}/WHEEL`, text: 'Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n' },
    { name: `${info}/RECORD`, text: `${name}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n` },
  ]);
  return { name: `${name}-${version}-py3-none-any.whl`, bytes, hash: createHash('sha256').update(bytes).digest('hex') };
}
