// Which server a command talks to.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeServerAddress, writeServerAddress } from '../storage/server-address.js';
import { CommandContext } from './command-context.js';
import { start } from './commands/start.js';
import { Terminal } from './terminal.js';

let folder: string;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-address-'));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Something that says it is Venom on this folder. @returns its port */
async function serving(dataDir: string): Promise<number> {
  const server = createServer((_request, response) => response.end(JSON.stringify({ data_dir: dataDir, pid: 7 })));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
const contextOf = (env: Record<string, string>) =>
  new CommandContext({ ENV_FILE: '/dev/null', HOME: folder, ...env }, new Terminal(true));
const locate = async (env: Record<string, string>) => (await contextOf(env).locateServer())?.url;

describe('CommandContext.locateServer', () => {
  it('finds the server of the data folder on whatever port, however it was started', async () => {
    const port = await serving(folder);
    writeServerAddress(folder, `http://127.0.0.1:${port}`);
    expect(await locate({ VENOM_DATA_DIR: folder })).toBe(`http://127.0.0.1:${port}`);
    removeServerAddress(folder);
    expect(await locate({ VENOM_DATA_DIR: folder, PORT: String(port) })).toBe(`http://127.0.0.1:${port}`);
  });

  it('does not take what listens there now for the server that was killed', async () => {
    const port = await serving('/somebody/else');
    writeServerAddress(folder, `http://127.0.0.1:${port}`);
    expect(await locate({ VENOM_DATA_DIR: folder, PORT: '1' })).toBeUndefined();
  });

  it('takes a server of another data folder only where its address was named', async () => {
    const port = await serving('/somebody/else');
    expect(await locate({ VENOM_DATA_DIR: folder, PORT: String(port) })).toBe(`http://127.0.0.1:${port}`);
    expect(await locate({ VENOM_DATA_DIR: folder, PORT: '1' })).toBeUndefined();
  });
});

describe('what starts and stops a server', () => {
  it('sees that of its own data folder only, and knows who else holds the port', async () => {
    const port = await serving('/somebody/else');
    const context = contextOf({ VENOM_DATA_DIR: folder, PORT: String(port) });
    expect(await context.ownServer()).toBeUndefined();
    const other = { url: `http://127.0.0.1:${port}`, dataDir: '/somebody/else', pid: 7 };
    expect(await context.otherServer()).toEqual(other);
    await expect(start(context, { wait: false })).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringMatching(
        RegExp(`^Another Venom holds port ${port} \\(data folder /somebody/else, process 7\\)\\. .*PORT=${port + 10}`),
      ),
    });
    const own = contextOf({ VENOM_DATA_DIR: folder, PORT: String(await serving(folder)) });
    expect(await own.otherServer()).toBeUndefined();
    expect(await own.ownServer()).toBeDefined();
  });
});
