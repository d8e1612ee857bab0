// One connection to an imported server for all clients that ask it one request at a time. Opened when it is needed, given back
// when nobody has needed it for a while.
import type { ImportedServers, McpNotification, McpSession } from '../../../skills/mcp/ports.js';

export interface SharedSessionOptions {
  servers: Pick<ImportedServers, 'session'>;
  name: string;
  idleMs: number;
  onNotification: (notification: McpNotification) => void;
}

export class SharedSession {
  readonly #options: SharedSessionOptions;
  #opening: Promise<McpSession> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: SharedSessionOptions) {
    this.#options = options;
  }

  /** @throws AppError as `ImportedServers.session` does */
  get(): Promise<McpSession> {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.close(), this.#options.idleMs).unref();
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.then((session) => session.close()).catch(() => {});
  }

  #open(): Promise<McpSession> {
    const forget = () => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    const opening: Promise<McpSession> = this.#options.servers.session(this.#options.name).then((session) => {
      session.onNotification(this.#options.onNotification);
      session.onClose(forget);
      return session;
    });
    opening.catch(forget);
    return opening;
  }
}
