// One WebSocket that events go to: seen to be alive, and never owed more than it reads.
import type { WebSocket } from '@fastify/websocket';
import type { EventClient } from './event-hub.js';

/** Of events it has yet to read. */
export const MAX_BUFFERED_BYTES = 1_048_576;
const BEAT_MS = 30_000;
const TOO_SLOW = 1013;

/**
 * A connection whose other end has vanished says nothing, and would hold its place for ever: each is asked now and then.
 * @returns what events are sent to, and how to stop watching it
 */
export function eventSocket(socket: WebSocket, beatMs = BEAT_MS): { client: EventClient; end: () => void } {
  let answered = true;
  const beat = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, beatMs);
  beat.unref();
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('message', () => {});
  return {
    client: {
      isBehind: () => socket.bufferedAmount > MAX_BUFFERED_BYTES,
      send: (text) => socket.send(text),
      // Told after what it has yet to read; who reads nothing more is cut off by the library half a minute later.
      letGo: () => socket.close(TOO_SLOW, 'events were not read fast enough'),
      terminate: () => socket.terminate(),
    },
    end: () => clearInterval(beat),
  };
}
