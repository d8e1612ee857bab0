// A registry of npm on loopback with one package, which it hands out as slowly as it is told.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

const VERSION = '1.0.0';
const BLOCK_BYTES = 512;

export interface NpmRegistry {
  url: string;
  /** Before each answer. */
  delayMs: number;
  close(): Promise<void>;
}

export async function startNpmRegistry(name: string, source: string): Promise<NpmRegistry> {
  const archive = gzipSync(
    Buffer.concat([
      packed('package/package.json', JSON.stringify({ name, version: VERSION, main: 'index.js' })),
      packed('package/index.js', source),
      Buffer.alloc(2 * BLOCK_BYTES),
    ]),
  );
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const server = createServer(async (request, response) => {
    await new Promise((done) => setTimeout(done, registry.delayMs));
    if (request.url?.endsWith('.tgz')) return response.end(archive);
    if (request.url !== `/${name}`) return response.writeHead(404).end();
    const dist = { tarball: `${registry.url}/${name}-${VERSION}.tgz`, integrity };
    response.setHeader('content-type', 'application/json');
    return response.end(
      JSON.stringify({
        name,
        'dist-tags': { latest: VERSION },
        versions: { [VERSION]: { name, version: VERSION, main: 'index.js', dist } },
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const registry: NpmRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delayMs: 0,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return registry;
}

/** One file as tar has it. */
function packed(path: string, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(path, 0);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const rest = (BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return Buffer.concat([header, content, Buffer.alloc(rest)]);
}
