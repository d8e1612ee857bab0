// Connections to servers of the 2025 era for calls in which a person may be asked. Each serves one person alone for as long as
// it lives, and one call at a time, so whatever the server asks belongs to that call and can reach nobody else.
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { McpConnection } from './mcp-connection.js';
import type { McpInteraction } from './ports.js';

const CONNECTIONS_MAX = 16;
const OF_SERVER_MAX = 4;

export interface PersonalConnectionsOptions {
  idleMs: number;
  /** Ended at the first quiet moment after so long. */
  lifetimeMs: number;
  now: () => number;
  onChange: (server: string) => void;
}

interface Personal {
  server: string;
  owner: Owner;
  connection: McpConnection | undefined;
  startedAt: number;
  /** Of the call under way; undefined between calls. */
  current: McpInteraction | undefined;
  busy: boolean;
  idle: NodeJS.Timeout | undefined;
}

export interface PersonalLease {
  connection: McpConnection;
  /** Safe to call twice. */
  release(): void;
}

export class PersonalConnections {
  readonly #options: PersonalConnectionsOptions;
  /** The one used last comes last. */
  #all: Personal[] = [];

  constructor(options: PersonalConnectionsOptions) {
    this.#options = options;
  }

  /** One that is open, if any. */
  openOf(server: string): McpConnection | undefined {
    return this.#all.findLast((each) => each.server === server && each.connection?.open)?.connection;
  }

  /** Undefined where there is no room: the call is made on the shared connection, where nothing can be asked. */
  async take(
    server: string,
    owner: Owner,
    interaction: McpInteraction,
    open: (interaction: McpInteraction) => Promise<McpConnection>,
  ): Promise<PersonalLease | undefined> {
    const idle = this.#all.findLast((each) => isFree(each) && each.server === server && each.owner === owner);
    const personal = idle ?? this.#reserved(server, owner);
    if (!personal) return undefined;
    clearTimeout(personal.idle);
    personal.busy = true;
    personal.current = interaction;
    this.#all = [...this.#all.filter((each) => each !== personal), personal];
    try {
      const connection = personal.connection ?? (await open(offered(personal)));
      if (!personal.connection) {
        personal.connection = connection;
        connection.onClose(() => this.#forget(personal));
        this.#options.onChange(server);
      }
      // Told to end while it started.
      if (!this.#all.includes(personal)) {
        await connection.close();
        throw new AppError('cancelled', `${server} is being stopped.`);
      }
      let released = false;
      return {
        connection,
        release: () => {
          if (released) return;
          released = true;
          this.#release(personal);
        },
      };
    } catch (error) {
      this.#forget(personal);
      throw error;
    }
  }

  /** Of one server, or all. */
  async close(server?: string): Promise<void> {
    const closing = this.#all.filter((each) => server === undefined || each.server === server);
    for (const personal of closing) this.#forget(personal);
    await Promise.all(closing.map(({ connection }) => connection?.close()));
  }

  #reserved(server: string, owner: Owner): Personal | undefined {
    const ofServer = this.#all.filter((each) => each.server === server);
    if (ofServer.length >= OF_SERVER_MAX && !this.#drop(ofServer)) return undefined;
    if (this.#all.length >= CONNECTIONS_MAX && !this.#drop(this.#all)) return undefined;
    return {
      server,
      owner,
      connection: undefined,
      startedAt: this.#options.now(),
      current: undefined,
      busy: true,
      idle: undefined,
    };
  }

  /** The one that was idle longest makes room. */
  #drop(among: readonly Personal[]): boolean {
    const oldest = among.find(isFree);
    if (!oldest) return false;
    this.#forget(oldest);
    void oldest.connection?.close();
    return true;
  }

  #release(personal: Personal): void {
    personal.busy = false;
    personal.current = undefined;
    if (!this.#all.includes(personal)) return;
    const { idleMs, lifetimeMs, now } = this.#options;
    const left = Math.max(0, personal.startedAt + lifetimeMs - now());
    personal.idle = setTimeout(
      () => {
        this.#forget(personal);
        void personal.connection?.close();
      },
      Math.min(idleMs, left),
    ).unref();
  }

  #forget(personal: Personal): void {
    clearTimeout(personal.idle);
    if (!this.#all.includes(personal)) return;
    this.#all = this.#all.filter((each) => each !== personal);
    this.#options.onChange(personal.server);
  }
}

const isFree = ({ busy, connection }: Personal): boolean => !busy && connection?.open === true;

/** What is asked between calls belongs to none, and nobody sees it. */
const offered = (personal: Personal): McpInteraction => ({
  elicit: async (request, signal) => personal.current?.elicit?.(request, signal) ?? { action: 'cancel' },
  sample: async (request, signal) => {
    if (!personal.current?.sample) throw new AppError('forbidden', 'The model is asked only while a tool is called.');
    return personal.current.sample(request, signal);
  },
  roots: async (signal) => personal.current?.roots?.(signal) ?? { roots: [] },
});
