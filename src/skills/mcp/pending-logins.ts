// The logins that are under way: begun and waiting for a browser, or come back and being exchanged. A state is good once.
import { AppError } from '../../shared/errors.js';
import { type PendingLogin, type PendingLoginStore, stateHashOf } from './pending-login.js';

const LOGIN_MS = 600_000;
const LOGINS_MAX = 50;

export class PendingLogins {
  readonly #store: PendingLoginStore;
  readonly #now: () => number;
  /** By the hash of their state, which is known to nobody but the browser of who began. */
  readonly #waiting: Map<string, PendingLogin>;
  /** Those whose browser has come back, while the authorization server is asked. */
  readonly #completing = new Set<PendingLogin>();

  constructor(store: PendingLoginStore, now: () => number) {
    this.#store = store;
    this.#now = now;
    this.#waiting = new Map(store.load().map((login) => [login.stateHash, login]));
    this.#expire();
  }

  /** Before a login begins: a former one of this server is void. @throws AppError `queue_full` */
  makeRoom(server: string): void {
    this.#expire();
    this.abandon(server);
    if (this.#waiting.size >= LOGINS_MAX) throw new AppError('queue_full', 'Too many logins have begun; finish one.');
  }

  /** @returns when it is too old to come back, in milliseconds since the epoch */
  begin(state: string, login: Omit<PendingLogin, 'stateHash' | 'expiresAt'>): number {
    const stateHash = stateHashOf(state);
    const expiresAt = this.#now() + LOGIN_MS;
    this.#waiting.set(stateHash, { ...login, stateHash, expiresAt });
    this.#write();
    return expiresAt;
  }

  /** Used up from now on, also on disk: whatever happens, it is not good a second time. Undefined for an unknown state. */
  take(state: string): PendingLogin | undefined {
    this.#expire();
    const login = this.#waiting.get(stateHashOf(state));
    if (!login) return undefined;
    this.#waiting.delete(login.stateHash);
    this.#write();
    this.#completing.add(login);
    return login;
  }

  /** Whether nobody gave up a login that was taken. */
  isWanted(taken: PendingLogin): boolean {
    return this.#completing.has(taken);
  }

  done(taken: PendingLogin): void {
    this.#completing.delete(taken);
  }

  abandon(server: string): void {
    for (const login of this.#completing) if (login.server === server) this.#completing.delete(login);
    this.#drop((login) => login.server === server);
  }

  #expire(): void {
    const now = this.#now();
    this.#drop(({ expiresAt }) => expiresAt <= now);
  }

  #drop(isOver: (login: PendingLogin) => boolean): void {
    const over = [...this.#waiting.values()].filter(isOver);
    for (const { stateHash } of over) this.#waiting.delete(stateHash);
    if (over.length > 0) this.#write();
  }

  #write(): void {
    this.#store.save([...this.#waiting.values()]);
  }
}
