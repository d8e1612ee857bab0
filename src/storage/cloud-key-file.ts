// Keys of cloud providers that were entered here: one file in the data folder that only its owner can read. The
// environment's keys go first and are never written down.
import { CLOUD_PROVIDERS, type CloudProvider } from '../routing/policy.js';
import { AppError } from '../shared/errors.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

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
    try {
      writePrivateFile(this.#path, `${JSON.stringify(keys)}\n`);
    } catch (error) {
      throw new AppError('store_unavailable', 'The key could not be written.', {
        cause: (error as NodeJS.ErrnoException).code,
      });
    }
    this.#stored = keys;
  }
}

function read(path: string): Partial<Record<CloudProvider, string>> {
  let text: string | undefined;
  try {
    text = readPrivateFile(path);
  } catch {
    throw new AppError('store_unavailable', `The key file ${path} cannot be read.`);
  }
  if (text === undefined) return {};
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
