// What one MCP session has sent on its streams, for a client that comes back with Last-Event-ID. Bounded: the oldest goes first.
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

const MAX_EVENTS = 512;
const MAX_CHARS = 4_000_000;

interface LoggedEvent {
  id: string;
  streamId: string;
  message: JSONRPCMessage;
  chars: number;
}

export class EventLog implements EventStore {
  readonly #events: LoggedEvent[] = [];
  #chars = 0;
  #last = 0;

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    this.#last += 1;
    const event = { id: String(this.#last), streamId, message, chars: JSON.stringify(message).length };
    this.#events.push(event);
    this.#chars += event.chars;
    while (this.#events.length > 1 && (this.#events.length > MAX_EVENTS || this.#chars > MAX_CHARS))
      this.#chars -= this.#events.shift()?.chars ?? 0;
    return event.id;
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#events.find(({ id }) => id === eventId)?.streamId;
  }

  /** @throws Error where the event is not known any more; the client must ask anew */
  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const at = this.#events.findIndex(({ id }) => id === lastEventId);
    const seen = this.#events[at];
    if (!seen) throw new Error('This event is not known any more.');
    // The first event of a stream carries no message: it only gives the client a place to come back to.
    for (const { id, streamId, message } of this.#events.slice(at + 1))
      if (streamId === seen.streamId && Object.keys(message).length > 0) await send(id, message);
    return seen.streamId;
  }
}
