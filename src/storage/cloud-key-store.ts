// Keys of cloud providers that were entered here: in the system's keyring where there is one, else in a file in the data
// folder that only its owner can read. The file also says which keys the keyring has, so that nobody asks it for nothing.
// The environment's keys go first and are never written down.
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { CLOUD_PROVIDERS, type CloudProvider } from '../routing/policy.js';
import { AppError } from '../shared/errors.js';
import type { Keyring } from './system-keyring.js';

const IN_KEYRING = { keyring: true } as const;
/** After a keyring that did not answer, such as one that is locked until somebody logs in. */
const ASK_AGAIN_MS = 10_000;

type Kept = Partial<Record<CloudProvider, string | typeof IN_KEYRING>>;

export interface CloudKeyStoreOptions {
  path: string;
  environment: Readonly<Record<CloudProvider, string>>;
  /** Null = the file alone. */
  keyring: Keyring | null;
  /** Tells the keys of this installation from another's. */
  installation: string;
  now: () => number;
  onKeyringFailed: (error: unknown) => void;
}

export class CloudKeyStore {
  readonly #options: CloudKeyStoreOptions;
  #kept: Kept;
  /** From the keyring. */
  readonly #loaded = new Map<CloudProvider, string>();
  #askedAt = Number.NEGATIVE_INFINITY;

  /** @throws AppError `store_unavailable`, `store_corrupt` */
  constructor(options: CloudKeyStoreOptions) {
    this.#options = options;
    this.#kept = read(options.path);
  }

  /** Brings what the keyring has into memory. Never throws. */
  async load(): Promise<void> {
    const { keyring, now, onKeyringFailed } = this.#options;
    this.#askedAt = now();
    for (const provider of CLOUD_PROVIDERS) {
      if (this.#kept[provider] !== IN_KEYRING || this.#loaded.has(provider)) continue;
      try {
        const key = await keyring?.get(this.#account(provider));
        if (key) this.#loaded.set(provider, key);
        else throw new AppError('store_unavailable', `The key of ${provider} is not in the keyring any more.`);
      } catch (error) {
        onKeyringFailed(error);
      }
    }
  }

  get(provider: CloudProvider): string {
    const own = this.#options.environment[provider];
    if (own) return own;
    const kept = this.#kept[provider];
    if (typeof kept !== 'object') return kept ?? '';
    const key = this.#loaded.get(provider);
    if (key === undefined && this.#options.now() - this.#askedAt > ASK_AGAIN_MS) void this.load();
    return key ?? '';
  }

  source(provider: CloudProvider): 'environment' | 'keyring' | 'file' | null {
    if (this.#options.environment[provider]) return 'environment';
    const kept = this.#kept[provider];
    return kept === undefined ? null : kept === IN_KEYRING ? 'keyring' : 'file';
  }

  /** Kept for good when it resolves. @throws AppError `store_unavailable` */
  async set(provider: CloudProvider, key: string): Promise<void> {
    const { keyring, onKeyringFailed } = this.#options;
    try {
      await keyring?.set(this.#account(provider), key);
    } catch (error) {
      onKeyringFailed(error);
      this.#write({ ...this.#kept, [provider]: key });
      return;
    }
    this.#loaded.set(provider, key);
    this.#write({ ...this.#kept, [provider]: keyring === null ? key : IN_KEYRING });
  }

  /** Whether there was one. @throws AppError `store_unavailable` where the keyring does not let go of it */
  async delete(provider: CloudProvider): Promise<boolean> {
    const { [provider]: removed, ...rest } = this.#kept;
    if (removed === undefined) return false;
    if (removed === IN_KEYRING) await this.#options.keyring?.delete(this.#account(provider));
    this.#loaded.delete(provider);
    this.#write(rest);
    return true;
  }

  #account(provider: CloudProvider): string {
    return `${provider} key of ${this.#options.installation}`;
  }

  #write(kept: Kept): void {
    const { path } = this.#options;
    const partial = `${path}.partial`;
    try {
      const file = openSync(partial, 'w', 0o600);
      try {
        writeSync(file, `${JSON.stringify(kept)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      // A partial file of a former crash may have had other rights.
      chmodSync(partial, 0o600);
      renameSync(partial, path);
    } catch (error) {
      throw new AppError('store_unavailable', 'The key could not be written.', {
        cause: (error as NodeJS.ErrnoException).code,
      });
    }
    this.#kept = kept;
  }
}

function read(path: string): Kept {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new AppError('store_unavailable', `The key file ${path} cannot be read.`);
  }
  try {
    const stored = JSON.parse(text) as Record<string, unknown>;
    return Object.fromEntries(
      CLOUD_PROVIDERS.flatMap((provider): [CloudProvider, Kept[CloudProvider]][] => {
        const kept = stored[provider];
        if (typeof kept === 'string') return [[provider, kept]];
        return typeof kept === 'object' && kept !== null && 'keyring' in kept ? [[provider, IN_KEYRING]] : [];
      }),
    );
  } catch {
    throw new AppError('store_corrupt', `The key file ${path} is damaged; remove it and enter the keys again.`);
  }
}
