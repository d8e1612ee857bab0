// The body of an answer to one client, as it comes. Who does not read is let go: the client comes back with Last-Event-ID,
// and nothing grows here meanwhile.
import type { ServerResponse } from 'node:http';

const MAX_UNREAD_BYTES = 8_388_608;

export async function pumpBody(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  const reader = body.getReader();
  response.once('close', () => void reader.cancel().catch(() => {}));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || response.destroyed) break;
      if (response.writableLength > MAX_UNREAD_BYTES) {
        response.destroy();
        return;
      }
      response.write(value);
    }
    response.end();
  } catch {
    response.destroy();
  }
}
