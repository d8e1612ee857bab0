// Real WebSockets on this machine, whose other ends misbehave.
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventHub } from './event-hub.js';
import { eventSocket, MAX_BUFFERED_BYTES } from './event-socket.js';

const BEAT_MS = 60;
let beatMs = BEAT_MS;
let app: FastifyInstance;
let hub: EventHub;
let sockets: { bufferedAmount: number; readyState: number }[];

beforeEach(async () => {
  beatMs = BEAT_MS;
  hub = new EventHub();
  sockets = [];
  app = Fastify();
  await app.register(websocket);
  app.get('/events', { websocket: true }, (socket) => {
    const { client, end } = eventSocket(socket, beatMs);
    sockets.push(socket);
    const leave = hub.add(client);
    socket.on('close', () => {
      end();
      leave();
    });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(async () => {
  hub.close();
  await app.close();
});

/** Speaks as much of the protocol as a test needs, and answers nothing by itself. */
async function rawClient(): Promise<Socket> {
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'GET /events HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await once(socket, 'data');
  return socket;
}
const url = () => `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/events`;

describe('an event socket', () => {
  it('whose other end answers nothing any more gives its place back', async () => {
    const silent = await rawClient();
    const closed = once(silent, 'close');
    silent.resume();
    await closed;
    await expect.poll(() => sockets[0]?.readyState).toBe(WebSocket.CLOSED);
  });

  it('that lives stays, for many beats', async () => {
    const living = new WebSocket(url());
    await once(living, 'open');
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS * 6));
    expect(living.readyState).toBe(WebSocket.OPEN);
    living.close();
  });

  it('that does not read is let go and told so, while another hears everything', async () => {
    beatMs = 60_000;
    const slow = await rawClient();
    slow.pause();
    const reader = new WebSocket(url());
    const heard: string[] = [];
    reader.onmessage = ({ data }) => heard.push(JSON.parse(String(data)).type);
    await once(reader, 'open');
    const filler = { text: 'x'.repeat(2_000) };
    const SENT = 10_000;
    for (let sent = 0; sent < SENT; sent += 1) {
      hub.publish('TEST', 'again', filler);
      // A reader reads between two turns of the event loop.
      if (sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => heard.filter((type) => type === 'TEST').length, { timeout: 10_000 }).toBe(SENT);
    expect(sockets[0]?.bufferedAmount).toBeLessThan(MAX_BUFFERED_BYTES * 2);
    expect(sockets[0]?.readyState).toBeGreaterThan(1);
    const pieces: Buffer[] = [];
    slow.on('data', (piece: Buffer) => pieces.push(piece));
    slow.resume();
    await expect.poll(() => Buffer.concat(pieces).includes('events were not read fast enough')).toBe(true);
    slow.destroy();
    reader.close();
  }, 20_000);
});
