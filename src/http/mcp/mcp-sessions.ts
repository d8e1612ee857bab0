// Sessions of MCP's 2025 era: one server and one transport each, bound to whoever opened it, ended when nobody uses it.
import { randomUUID } from 'node:crypto';
import {
  type AuthInfo,
  type ClientCapabilities,
  McpServer,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { AppError } from '../../shared/errors.js';
import { EventLog, EventLogBudget } from './event-log.js';

const SWEEP_MS = 30_000;
/** How soon a client whose stream was closed comes back. */
const RETRY_MS = 1_000;

export interface McpSessionLimits {
  sessions: number;
  idleMs: number;
}

interface McpSessionEntry {
  server: McpServer | Server;
  transport: WebStandardStreamableHTTPServerTransport;
  /** Who opened it; nobody else may use it. */
  owner: string;
  usedAt: number;
  /** Requests and streams that are under way. */
  open: number;
}

export interface McpServed {
  caller: AuthInfo;
  /** What a client of the 2025 era said it can do; in the 2026 era each request says so itself. */
  client: { era: 'legacy'; capabilities: ClientCapabilities } | { era: 'modern' };
}

/** Makes the server of one session or request. */
export type McpServerMaker = (served: McpServed) => Promise<McpServer | Server> | McpServer | Server;

export class McpSessions {
  readonly #sessions = new Map<string, McpSessionEntry>();
  readonly #logged = new EventLogBudget();
  readonly #make: McpServerMaker;
  readonly #limits: McpSessionLimits;
  readonly #now: () => number;
  readonly #sweep: NodeJS.Timeout;

  constructor(make: McpServerMaker, limits: McpSessionLimits, now: () => number = Date.now) {
    this.#make = make;
    this.#limits = limits;
    this.#now = now;
    this.#sweep = setInterval(() => void this.endIdle(), SWEEP_MS).unref();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Tells the client of every session that resources came or went. */
  resourcesChanged(): void {
    for (const { server } of this.#sessions.values()) {
      const told = server instanceof McpServer ? server.server : server;
      // A client that has gone is told nothing.
      void told.sendResourceListChanged().catch(() => {});
    }
  }

  /** Undefined for a session that does not exist or belongs to somebody else: nobody learns which of the two. */
  find(id: string, caller: AuthInfo): McpSessionEntry | undefined {
    const entry = this.#sessions.get(id);
    return entry?.owner === caller.clientId ? entry : undefined;
  }

  /** A transport for an `initialize` request; it becomes a session once that was answered. @throws AppError `queue_full` */
  async open(caller: AuthInfo, capabilities: ClientCapabilities): Promise<McpSessionEntry> {
    if (this.#sessions.size >= this.#limits.sessions) await this.#makeRoom();
    const server = await this.#make({ caller, client: { era: 'legacy', capabilities } });
    const log = new EventLog(this.#logged);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: log,
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, entry);
      },
    });
    const entry: McpSessionEntry = { server, transport, owner: caller.clientId, usedAt: this.#now(), open: 0 };
    await server.connect(transport);
    // The server listens too; both must hear of the end.
    const onClose = transport.onclose;
    transport.onclose = () => {
      log.clear();
      if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId);
      onClose?.();
    };
    return entry;
  }

  use(entry: McpSessionEntry): () => void {
    entry.open += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      entry.open -= 1;
      entry.usedAt = this.#now();
    };
  }

  async endIdle(): Promise<void> {
    const since = this.#now() - this.#limits.idleMs;
    const idle = [...this.#sessions.values()].filter(({ open, usedAt }) => open === 0 && usedAt <= since);
    await Promise.allSettled(idle.map(({ server }) => server.close()));
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await Promise.allSettled([...this.#sessions.values()].map(({ server }) => server.close()));
    this.#sessions.clear();
  }

  async #makeRoom(): Promise<void> {
    const unused = [...this.#sessions.values()].filter(({ open }) => open === 0);
    const oldest = unused.reduce<McpSessionEntry | undefined>(
      (first, entry) => (first === undefined || entry.usedAt < first.usedAt ? entry : first),
      undefined,
    );
    if (!oldest) throw new AppError('queue_full', 'All MCP sessions are in use; try again later.');
    await oldest.server.close();
  }
}
