// What the administrator's settings let users' keys do over HTTP beyond what is their own: answer calls that wait in their own
// conversations, call tools by hand, and reach imported MCP servers. Nothing here lets anybody import or start something new.
import { AppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import type { Permission, ToolDescriptor } from '../skills/ports.js';
import type { ToolGrants } from '../skills/tool-grants.js';

export interface UserGrantSettings {
  approveTools: boolean;
  callTools: boolean;
}

/** Built-in skills that start programs of this machine. */
const STARTING: ReadonlySet<string> = new Set(['shell', 'git']);

export class UserGrants {
  readonly settings: UserGrantSettings;
  readonly #tools: ToolGrants;

  constructor(settings: UserGrantSettings, tools: ToolGrants) {
    this.settings = settings;
    this.#tools = tools;
  }

  /** Imported servers a user's key may use. */
  serversOf(owner: string): string[] {
    return this.#tools.serversOf(owner);
  }

  /** Whether a route of the class `granted` is open to a user's key at all. */
  mayAsk(owner: string, url: string): boolean {
    if (url.startsWith('/mcp/')) return this.serversOf(owner).length > 0;
    if (url.includes('/skills/approvals/')) return this.settings.approveTools;
    return url.endsWith('/call') && this.settings.callTools;
  }

  /**
   * By hand and for approvals more is refused than in a chat: what starts programs, and skills nobody of us has made; a no of
   * the administrator stays one.
   * @throws AppError `forbidden`
   */
  requireTool(owner: Owner, tool: Pick<ToolDescriptor, 'name' | 'source'>, permission: Permission): void {
    if (owner === null) return;
    const { kind, id } = tool.source;
    const harmless = kind === 'builtin' ? !STARTING.has(id) : kind === 'mcp';
    if (permission === 'never' || !harmless || !this.#tools.mayUse(owner, tool))
      throw new AppError('forbidden', `${tool.name} is called and approved by the administrator alone.`);
  }
}
