// What happens, told to every connected WebSocket client that may know of it. A client that does not read is let go.
import type { EventSink } from '../chat/ports.js';
import { type Owner, ownerOfSession } from '../shared/owner.js';
import { shownTo } from './ownership.js';

/** What concerns everybody and tells of nobody's conversation. All else is told to users only where it is theirs. */
const FOR_EVERYBODY: ReadonlySet<string> = new Set([
  'MODEL_OPERATION',
  'MODEL_STARTER',
  'MCP_SERVER',
  'SERVICE_STATUS_UPDATE',
  'QUEUE_PAUSED',
  'QUEUE_RESUMED',
  'QUEUE_PURGED',
  'EMERGENCY_STOP',
  'BUDGET_WARNING',
]);

export interface EventHubOptions {
  /** Of a request or task; asked only while a user listens. */
  ownerOfRequest: (requestId: string) => Owner;
  /** Of what is for everybody, whether it is for this one. */
  mayHear: (viewer: string, type: string, data: Record<string, unknown> | null) => boolean;
}

export interface EventClient {
  /** It has been sent more than it reads. */
  isBehind(): boolean;
  send(text: string): void;
  /** Ends it, and tells it why. */
  letGo(): void;
  /** Ends it at once. */
  terminate(): void;
}

export class EventHub implements EventSink {
  readonly #clients = new Map<EventClient, Owner>();
  readonly #ownerOfRequest: (requestId: string) => Owner;
  readonly #mayHear: EventHubOptions['mayHear'];

  constructor({ ownerOfRequest = () => null, mayHear = () => true }: Partial<EventHubOptions> = {}) {
    this.#ownerOfRequest = ownerOfRequest;
    this.#mayHear = mayHear;
  }

  add(client: EventClient, viewer: Owner = null): () => void {
    this.#clients.set(client, viewer);
    this.publish('SYSTEM_LOG', 'A client connected.', { level: 'INFO' });
    return () => this.#clients.delete(client);
  }

  publish(
    type: string,
    message: string,
    data: Record<string, unknown> | null = null,
    agent: string | null = null,
    owner?: Owner,
  ): void {
    if (this.#clients.size === 0) return;
    const event = { type, agent, message, timestamp: new Date().toISOString(), data };
    const text = JSON.stringify(event);
    const open = FOR_EVERYBODY.has(type);
    let whose: string | undefined;
    for (const [client, viewer] of this.#clients) {
      if (viewer !== null && !open) {
        whose ??= owner ?? this.#ownerOf(data) ?? '';
        if (whose !== viewer) continue;
      } else if (viewer !== null && !this.#mayHear(viewer, type, data)) continue;
      if (client.isBehind()) {
        this.#clients.delete(client);
        client.letGo();
      } else client.send(viewer === null ? text : JSON.stringify(shownTo(viewer, event)));
    }
  }

  #ownerOf(data: Record<string, unknown> | null): Owner {
    const { session_id: sessionId, task_id: taskId, request_id: requestId } = data ?? {};
    if (typeof sessionId === 'string') return ownerOfSession(sessionId);
    const id = taskId ?? requestId;
    return typeof id === 'string' ? this.#ownerOfRequest(id) : null;
  }

  close(): void {
    for (const client of this.#clients.keys()) client.terminate();
    this.#clients.clear();
  }
}
