// What happens, told to every connected WebSocket client. A client that does not read is let go.
import type { EventSink } from '../chat/ports.js';

const MAX_BUFFERED_BYTES = 1_048_576;

export interface EventClient {
  readonly bufferedAmount: number;
  send(text: string): void;
  terminate(): void;
}

export class EventHub implements EventSink {
  readonly #clients = new Set<EventClient>();

  add(client: EventClient): () => void {
    this.#clients.add(client);
    this.publish('SYSTEM_LOG', 'A client connected.', { level: 'INFO' });
    return () => this.#clients.delete(client);
  }

  publish(
    type: string,
    message: string,
    data: Record<string, unknown> | null = null,
    agent: string | null = null,
  ): void {
    if (this.#clients.size === 0) return;
    const text = JSON.stringify({ type, agent, message, timestamp: new Date().toISOString(), data });
    for (const client of this.#clients) {
      if (client.bufferedAmount > MAX_BUFFERED_BYTES) {
        this.#clients.delete(client);
        client.terminate();
      } else client.send(text);
    }
  }

  close(): void {
    for (const client of this.#clients) client.terminate();
    this.#clients.clear();
  }
}
