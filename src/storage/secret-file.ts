// Secrets by name, for servers that need one: a file in the data folder that only its owner can read. Values are never
// listed, logged or given back.
import { AppError } from '../shared/errors.js';
import type { SecretStore } from '../skills/mcp/ports.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

const SECRETS_MAX = 500;

export class SecretFile implements SecretStore {
  readonly #path: string;
  #secrets: ReadonlyMap<string, string>;

  /** @throws AppError `store_unavailable`, `store_corrupt` */
  constructor(path: string) {
    this.#path = path;
    this.#secrets = read(path);
  }

  names(): string[] {
    return [...this.#secrets.keys()].sort();
  }

  get(name: string): string | undefined {
    return this.#secrets.get(name);
  }

  /** On disk when it returns. @throws AppError `store_unavailable`, `invalid_input` when there are too many */
  set(name: string, value: string): void {
    const secrets = new Map(this.#secrets).set(name, value);
    if (secrets.size > SECRETS_MAX) throw new AppError('invalid_input', `${SECRETS_MAX} secrets are stored already.`);
    this.#write(secrets);
  }

  delete(name: string): void {
    const secrets = new Map(this.#secrets);
    if (secrets.delete(name)) this.#write(secrets);
  }

  #write(secrets: ReadonlyMap<string, string>): void {
    try {
      writePrivateFile(this.#path, `${JSON.stringify([...secrets])}\n`);
    } catch (error) {
      throw new AppError('store_unavailable', 'The secret could not be written.', {
        cause: (error as NodeJS.ErrnoException).code,
      });
    }
    this.#secrets = secrets;
  }
}

function read(path: string): ReadonlyMap<string, string> {
  let text: string | undefined;
  try {
    text = readPrivateFile(path);
  } catch {
    throw new AppError('store_unavailable', `The file of secrets ${path} cannot be read.`);
  }
  if (text === undefined) return new Map();
  try {
    return new Map(JSON.parse(text) as [string, string][]);
  } catch {
    throw new AppError(
      'store_corrupt',
      `The file of secrets ${path} is damaged; remove it and enter the secrets again.`,
    );
  }
}
