// What one MCP session has sent on its streams, for a client that comes back with Last-Event-ID. Bounded: the oldest goes first.
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

const MAX_EVENTS = 512;
const MAX_CHARS = 4_000_000;
/** Of all sessions of an endpoint together: hundreds of them may have that much each. */
const MAX_CHARS_TOGETHER = 64_000_000;

interface LoggedEvent {
  id: string;
  streamId: string;
  message: JSONRPCMessage;
  chars: number;
}

/** What several logs hold together. */
export class EventLogBudget {
  chars = 0;

  get isSpent(): boolean {
    return this.chars > MAX_CHARS_TOGETHER;
  }
}

export class EventLog implements EventStore {
  readonly #budget: EventLogBudget;
  readonly #events: LoggedEvent[] = [];
  #chars = 0;
  #last = 0;
  #ended = false;

  constructor(budget = new EventLogBudget()) {
    this.#budget = budget;
  }

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    this.#last += 1;
    if (this.#ended) return String(this.#last);
    const event = { id: String(this.#last), streamId, message, chars: JSON.stringify(message).length };
    this.#events.push(event);
    this.#took(event.chars);
    // The newest stays in any case.
    while (
      this.#events.length > 1 &&
      (this.#events.length > MAX_EVENTS || this.#chars > MAX_CHARS || this.#budget.isSpent)
    )
      this.#took(-(this.#events.shift()?.chars ?? 0));
    return event.id;
  }

  /** The session has ended. */
  clear(): void {
    this.#ended = true;
    this.#events.length = 0;
    this.#took(-this.#chars);
  }

  #took(chars: number): void {
    this.#chars += chars;
    this.#budget.chars += chars;
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
