// Logins at remote MCP servers: a file in the data folder that only its owner can read, apart from the secrets that a person
// can name. Nothing of it is listed, logged or given back.
import { AppError } from '../shared/errors.js';
import type { GrantStore, RemoteGrant } from '../skills/mcp/remote-grant.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

const GRANTS_MAX = 500;

export class GrantFile implements GrantStore {
  readonly #path: string;
  #grants: readonly RemoteGrant[];

  /** @throws AppError `store_unavailable`, `store_corrupt` */
  constructor(path: string) {
    this.#path = path;
    this.#grants = read(path);
  }

  get(server: string, url: string): RemoteGrant | undefined {
    return this.#grants.find((grant) => grant.server === server && grant.url === url);
  }

  of(server: string): RemoteGrant[] {
    return this.#grants.filter((grant) => grant.server === server);
  }

  put(grant: RemoteGrant): void {
    const others = this.#grants.filter(({ server, url }) => server !== grant.server || url !== grant.url);
    if (others.length >= GRANTS_MAX)
      throw new AppError('invalid_input', `${GRANTS_MAX} logins at MCP servers are stored already.`);
    this.#write([...others, grant]);
  }

  delete(server: string): void {
    const left = this.#grants.filter((grant) => grant.server !== server);
    if (left.length < this.#grants.length) this.#write(left);
  }

  #write(grants: readonly RemoteGrant[]): void {
    try {
      writePrivateFile(this.#path, `${JSON.stringify(grants)}\n`);
    } catch (error) {
      throw new AppError('store_unavailable', 'The login could not be written.', {
        cause: (error as NodeJS.ErrnoException).code,
      });
    }
    this.#grants = grants;
  }
}

function read(path: string): readonly RemoteGrant[] {
  let text: string | undefined;
  try {
    text = readPrivateFile(path);
  } catch {
    throw new AppError('store_unavailable', `The file of logins ${path} cannot be read.`);
  }
  if (text === undefined) return [];
  try {
    const grants: unknown = JSON.parse(text);
    if (Array.isArray(grants)) return grants as RemoteGrant[];
  } catch {
    // Said below.
  }
  throw new AppError('store_corrupt', `The file of logins ${path} is damaged; remove it and log in again.`);
}
