// Imported servers without an import: real connections of skills/mcp to servers that listen over HTTP.
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { AppError } from '../../src/shared/errors.js';
import { McpConnection } from '../../src/skills/mcp/mcp-connection.js';
import type { ImportedServer, ImportedServers, McpSession, SessionRequest } from '../../src/skills/mcp/ports.js';

export interface RemoteServer {
  url: string;
  protocol: 'legacy' | 'modern';
  enabled?: boolean;
}

export class RemoteServers implements ImportedServers {
  readonly servers: Map<string, RemoteServer>;
  readonly #listeners = new Set<(server: string) => void>();
  readonly #shared = new Map<string, Promise<McpConnection>>();
  readonly open = new Set<McpConnection>();

  constructor(servers: Record<string, RemoteServer>) {
    this.servers = new Map(Object.entries(servers));
  }

  list(): ImportedServer[] {
    return [...this.servers.keys()].sort().map((name) => this.get(name) as ImportedServer);
  }

  get(name: string): ImportedServer | undefined {
    const server = this.servers.get(name);
    return (
      server && {
        name,
        title: name,
        transport: 'http',
        state: 'known',
        enabled: server.enabled ?? true,
        trusted: true,
        isolation: null,
        pid: null,
        era: server.protocol,
        protocolVersion: null,
        serverInfo: null,
        capabilities: {},
        source: { kind: 'remote', location: server.url, version: null },
        tools: 0,
        quarantined: 0,
        quarantinedOffers: 0,
        restarts: 0,
        lastError: null,
        callMs: null,
        authorization: null,
        listedAt: null,
      }
    );
  }

  async session(name: string, { interaction }: SessionRequest = {}): Promise<McpSession> {
    if (interaction) return this.#connect(name, interaction);
    const opening = this.#shared.get(name) ?? this.#connect(name);
    this.#shared.set(name, opening);
    opening.catch(() => this.#shared.delete(name));
    const shared = await opening;
    shared.onClose(() => this.#shared.delete(name));
    // What is shared outlives whoever gives it back.
    return new Proxy(shared, {
      get: (target, key) => {
        if (key === 'close') return async () => {};
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  onChange(listener: (server: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(name: string, server: RemoteServer | undefined): void {
    if (server) this.servers.set(name, server);
    else this.servers.delete(name);
    for (const listener of this.#listeners) listener(name);
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((connection) => connection.close()));
  }

  async #connect(name: string, interaction?: SessionRequest['interaction']): Promise<McpConnection> {
    const server = this.servers.get(name);
    if (!server) throw new AppError('mcp_server_not_found', `There is no MCP server ${name}.`);
    const connection = await McpConnection.open({
      server: name,
      version: '1',
      transport: () => new StreamableHTTPClientTransport(new URL(server.url)),
      protocol: server.protocol,
      startMs: 5_000,
      idleMs: 20_000,
      ceilingMs: 60_000,
      interaction,
    });
    this.open.add(connection);
    connection.onClose(() => this.open.delete(connection));
    return connection;
  }
}
