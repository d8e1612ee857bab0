// The operating system's own store of secrets: Keychain, Credential Manager, Secret Service. Its library is loaded at the
// first use, and where there is no such store, or it is locked and nobody answers, that is said within seconds.
import { AppError } from '../shared/errors.js';

/** A store that is locked asks its person, who may not be there. */
const WAIT_MS = 5_000;
const SERVICE = 'venom';
/** Linux has a second store, in the kernel, which is empty after a restart. */
const LASTING = { linux: { store: 'secret-service' } } as const;

export interface Keyring {
  /** Null where it has none of this name. @throws AppError `store_unavailable` */
  get(account: string): Promise<string | null>;
  /** @throws AppError `store_unavailable` */
  set(account: string, secret: string): Promise<void>;
  /** @throws AppError `store_unavailable` */
  delete(account: string): Promise<void>;
}

export class SystemKeyring implements Keyring {
  get(account: string): Promise<string | null> {
    return this.#ask(account, async (entry) => (await entry.getPassword()) ?? null);
  }

  set(account: string, secret: string): Promise<void> {
    return this.#ask(account, async (entry) => {
      await entry.setPassword(secret);
      // Some accept what they do not keep.
      if ((await entry.getPassword()) !== secret) throw new Error('not kept');
    });
  }

  async delete(account: string): Promise<void> {
    await this.#ask(account, (entry) => entry.deletePassword());
  }

  async #ask<T>(account: string, work: (entry: import('@napi-rs/keyring').AsyncEntry) => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const { AsyncEntry } = await import('@napi-rs/keyring');
      return await Promise.race([
        work(new AsyncEntry(SERVICE, account, LASTING)),
        new Promise<never>((_resolve, reject) => {
          timer = setTimeout(() => reject(new Error('no answer')), WAIT_MS);
        }),
      ]);
    } catch (cause) {
      throw new AppError('store_unavailable', "The system's keyring cannot be used.", { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}
