import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { portOwner, socketInodes } from './port-owner.js';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 31338 1 0000000000000000 20 4 30 10 -1`;

describe('socketInodes', () => {
  it('finds the listening socket and not a connection on the same port', () => {
    expect(socketInodes(TABLE, 8_000)).toEqual(['31337']);
  });

  it('finds nothing on a free port', () => {
    expect(socketInodes(TABLE, 8_001)).toEqual([]);
  });
});

describe('portOwner', () => {
  const server = createServer();
  afterEach(() => {
    server.close();
  });

  it('names this very process for a port it listens on', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    expect(await portOwner(typeof address === 'object' && address ? address.port : 0)).toContain(
      `process ${process.pid}`,
    );
  });
});
