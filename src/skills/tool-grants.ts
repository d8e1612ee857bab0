// Who may use which tools and imported servers: the one rule that chat, calls by hand, the API's lists, /mcp and the gateway
// ask. What is not granted does not exist for whoever asks. Pure.
import type { Owner } from '../shared/owner.js';
import type { ToolSource } from './ports.js';

export class ToolGrants {
  readonly #servers: readonly string[];

  /** @param servers  `server` for every user's key, `user-…/server` for one */
  constructor(servers: readonly string[]) {
    this.#servers = servers;
  }

  /** Imported servers a user's key may use. */
  serversOf(owner: string): string[] {
    return [...new Set(this.#servers.flatMap((entry) => serverOf(entry, owner) ?? []))].sort();
  }

  /** The house may use every server. */
  mayUseServer(owner: Owner, name: string): boolean {
    return owner === null || this.serversOf(owner).includes(name);
  }

  /** Tools of imported servers as their servers; what is part of Venom, or was put here by the administrator, is for everybody. */
  mayUse(owner: Owner, { source }: { source: ToolSource }): boolean {
    return source.kind !== 'mcp' || this.mayUseServer(owner, source.id);
  }
}

/** Null where the entry is for another key. */
function serverOf(entry: string, owner: string): string | null {
  const [first = '', second] = entry.split('/', 2);
  if (second === undefined) return first;
  return first === owner ? second : null;
}
