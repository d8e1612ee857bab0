// Logins at remote MCP servers that have begun: a file in the data folder that only its owner can read, beside the logins that
// were finished. A damaged one costs no more than a login that is begun anew.
import { AppError } from '../shared/errors.js';
import type { PendingLogin, PendingLoginStore } from '../skills/mcp/pending-login.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

export class PendingLoginFile implements PendingLoginStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  load(): readonly PendingLogin[] {
    try {
      const logins: unknown = JSON.parse(readPrivateFile(this.#path) ?? '[]');
      return Array.isArray(logins) ? logins.filter(isLogin) : [];
    } catch {
      return [];
    }
  }

  save(logins: readonly PendingLogin[]): void {
    try {
      writePrivateFile(this.#path, `${JSON.stringify(logins)}\n`);
    } catch (error) {
      throw new AppError('store_unavailable', 'The login that was begun could not be written.', {
        cause: (error as NodeJS.ErrnoException).code,
      });
    }
  }
}

const isLogin = (value: unknown): value is PendingLogin => {
  const login = value as Partial<PendingLogin> | null;
  return (
    typeof login?.stateHash === 'string' &&
    typeof login.server === 'string' &&
    typeof login.url === 'string' &&
    typeof login.verifier === 'string' &&
    typeof login.redirectUrl === 'string' &&
    typeof login.expiresAt === 'number' &&
    typeof login.discovery === 'object'
  );
};
