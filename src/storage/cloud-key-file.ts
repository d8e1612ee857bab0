// Keys of cloud providers that were entered here: one file in the data folder that only its owner can read. The
// environment's keys go first and are never written down.
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { CLOUD_PROVIDERS, type CloudProvider } from '../routing/policy.js';
import { AppError } from '../shared/errors.js';

export class CloudKeyFile {
  readonly #path: string;
  readonly #environment: Readonly<Record<CloudProvider, string>>;
  #stored: Partial<Record<CloudProvider, string>>;

  constructor(path: string, environment: Readonly<Record<CloudProvider, string>>) {
    this.#path = path;
    this.#environment = environment;
    this.#stored = read(path);
  }

  get(provider: CloudProvider): string {
    return this.#environment[provider] || (this.#stored[provider] ?? '');
  }

  source(provider: CloudProvider): 'environment' | 'file' | null {
    if (this.#environment[provider]) return 'environment';
    return this.#stored[provider] ? 'file' : null;
  }

  /** On disk when it returns. @throws AppError `store_unavailable` */
  set(provider: CloudProvider, key: string): void {
    this.#write({ ...this.#stored, [provider]: key });
  }

  /** Whether there was one. */
  delete(provider: CloudProvider): boolean {
    if (!this.#stored[provider]) return false;
    const { [provider]: _removed, ...rest } = this.#stored;
    this.#write(rest);
    return true;
  }

  #write(keys: Partial<Record<CloudProvider, string>>): void {
    const partial = `${this.#path}.partial`;
    try {
      const file = openSync(partial, 'w', 0o600);
      try {
        writeSync(file, `${JSON.stringify(keys)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      // A partial file of a former crash may have had other rights.
      chmodSync(partial, 0o600);
      renameSync(partial, this.#path);
    } catch (error) {
      throw new AppError('store_unavailable', 'The key could not be written.', {
        cause: (error as NodeJS.ErrnoException).code,
      });
    }
    this.#stored = keys;
  }
}

function read(path: string): Partial<Record<CloudProvider, string>> {
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
      CLOUD_PROVIDERS.filter((provider) => typeof stored[provider] === 'string').map((provider) => [
        provider,
        stored[provider] as string,
      ]),
    );
  } catch {
    throw new AppError('store_corrupt', `The key file ${path} is damaged; remove it and enter the keys again.`);
  }
}
