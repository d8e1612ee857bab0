// What the administrator's settings let users' keys do beyond what is their own: answer calls that wait in their own
// conversations, call tools by hand, and use imported MCP servers. Nothing here lets anybody import or start something new.
import { AppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import type { Permission, ToolDescriptor } from '../skills/ports.js';

export interface UserGrantSettings {
  approveTools: boolean;
  callTools: boolean;
  /** `server` for every user's key, `user-…/server` for one. */
  mcpServers: readonly string[];
}

/** Built-in skills that start programs of this machine. */
const STARTING: ReadonlySet<string> = new Set(['shell', 'git']);

export class UserGrants {
  readonly settings: UserGrantSettings;

  constructor(settings: UserGrantSettings) {
    this.settings = settings;
  }

  /** Imported servers a user's key may use. */
  serversOf(owner: string): string[] {
    return [...new Set(this.settings.mcpServers.flatMap((entry) => serverOf(entry, owner) ?? []))].sort();
  }

  /** Whether a route of the class `granted` is open to a user's key at all. */
  mayAsk(owner: string, url: string): boolean {
    if (url.startsWith('/mcp/')) return this.serversOf(owner).length > 0;
    if (url.includes('/skills/approvals/')) return this.settings.approveTools;
    return url.endsWith('/call') && this.settings.callTools;
  }

  /** The house may use every server. */
  mayUseServer(owner: Owner, name: string): boolean {
    return owner === null || this.serversOf(owner).includes(name);
  }

  /**
   * Refuses tools that start programs, and those of servers the key may not use; a no of the administrator stays one.
   * @throws AppError `forbidden`
   */
  requireTool(owner: Owner, { name, source }: Pick<ToolDescriptor, 'name' | 'source'>, permission: Permission): void {
    if (owner === null) return;
    const allowed =
      permission !== 'never' &&
      (source.kind === 'builtin'
        ? !STARTING.has(source.id)
        : source.kind === 'mcp' && this.mayUseServer(owner, source.id));
    if (!allowed) throw new AppError('forbidden', `${name} is called and approved by the administrator alone.`);
  }
}

/** Null where the entry is for another key. */
function serverOf(entry: string, owner: string): string | null {
  const [first = '', second] = entry.split('/', 2);
  if (second === undefined) return first;
  return first === owner ? second : null;
}
