// The imported servers over HTTP: each at an endpoint of its own, and all of them joined at one more.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../../../shared/errors.js';
import { toldTo } from '../../../skills/mcp/for-users.js';
import type { ImportedServers, McpSession } from '../../../skills/mcp/ports.js';
import type { ToolGrants } from '../../../skills/tool-grants.js';
import { McpEndpoint, ownerOf } from '../mcp-endpoint.js';
import type { McpServed, McpSessionLimits } from '../mcp-sessions.js';
import { ClientInteraction } from './client-interaction.js';
import { type JoinedNames, joinNames, usableNames } from './joined-names.js';
import { joinedServer } from './joined-server.js';
import { ServerGateway } from './server-gateway.js';
import { SharedSession } from './shared-session.js';

export interface McpGatewayOptions {
  servers: ImportedServers;
  /** To everybody else a server does not exist. */
  grants: Pick<ToolGrants, 'mayUseServer'>;
  limits: McpSessionLimits;
  version: string;
  logger: Logger;
}

export class McpGateway {
  readonly #options: McpGatewayOptions;
  readonly #endpoints = new Map<string, ServerGateway>();
  readonly #joined: McpEndpoint;
  readonly #shared = new Map<string, SharedSession>();
  readonly #leave: () => void;
  #names: Promise<JoinedNames> | undefined;

  constructor(options: McpGatewayOptions) {
    this.#options = options;
    this.#joined = new McpEndpoint({
      make: (served) => this.#makeJoined(served),
      limits: options.limits,
      logger: options.logger,
    });
    this.#leave = options.servers.onChange((name) => this.#onChange(name));
  }

  /** @throws AppError `mcp_server_not_found`, `mcp_server_disabled`, and what keeps the server from starting */
  async one(name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const known = this.#options.servers.get(name);
    if (!known || !this.#options.grants.mayUseServer(request.owner, name))
      throw new AppError('mcp_server_not_found', `There is no MCP server ${name}.`);
    if (!known.enabled) throw new AppError('mcp_server_disabled', `The MCP server ${name} is switched off.`);
    const { servers, limits, logger } = this.#options;
    const endpoint = this.#endpoints.get(name) ?? new ServerGateway({ servers, name, limits, logger });
    this.#endpoints.set(name, endpoint);
    try {
      return await endpoint.handle(request, reply);
    } catch (error) {
      throw error instanceof AppError ? toldTo(request.owner, name, error) : error;
    }
  }

  all(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return this.#joined.handle(request, reply);
  }

  async close(): Promise<void> {
    this.#leave();
    await Promise.allSettled([
      this.#joined.close(),
      ...[...this.#endpoints.values()].map((endpoint) => endpoint.close()),
      ...[...this.#shared.values()].map((shared) => shared.close()),
    ]);
  }

  #makeJoined({ caller, client }: McpServed) {
    const { version, grants } = this.#options;
    const owner = ownerOf(caller);
    const names = async () => usableNames(await this.#listed(), (server) => grants.mayUseServer(owner, server));
    if (client.era === 'modern')
      return joinedServer({ version, names, session: (server) => this.#sharedWith(server), underWay: new Set() });
    // Each server this client calls gets a connection of its own, at the first call.
    const interaction = new ClientInteraction();
    const own = new Map<string, Promise<McpSession>>();
    const session = (server: string) => {
      const opening =
        own.get(server) ??
        this.#options.servers
          .session(server, { interaction: interaction.offered(client.capabilities) })
          .then((opened) => {
            opened.onNotification((notification) => {
              if (/list_changed$/.test(notification.method)) this.#names = undefined;
              void interaction.tell(notification).catch(() => {});
            });
            opened.onClose(() => own.delete(server));
            return opened;
          });
      own.set(server, opening);
      opening.catch(() => own.delete(server));
      return opening;
    };
    const joined = joinedServer({ version, names, session, underWay: interaction.underWay });
    interaction.server = joined;
    joined.server.onclose = () => {
      for (const opening of own.values()) void opening.then((opened) => opened.close()).catch(() => {});
    };
    return joined;
  }

  #listed(): Promise<JoinedNames> {
    const { servers, logger } = this.#options;
    this.#names ??= joinNames(
      servers,
      (server) => this.#sharedWith(server),
      (server, error) => logger.warn({ err: error, server }, 'an MCP server was left out of the joined list'),
    );
    return this.#names;
  }

  #sharedWith(name: string): Promise<McpSession> {
    const shared =
      this.#shared.get(name) ??
      new SharedSession({
        servers: this.#options.servers,
        name,
        idleMs: this.#options.limits.idleMs,
        onNotification: ({ method }) => {
          if (!/list_changed$/.test(method)) return;
          this.#names = undefined;
          if (method.includes('/tools/')) this.#joined.notify.toolsChanged();
          if (method.includes('/prompts/')) this.#joined.notify.promptsChanged();
        },
      });
    this.#shared.set(name, shared);
    return shared.get();
  }

  #onChange(name: string): void {
    this.#names = undefined;
    this.#joined.notify.toolsChanged();
    const endpoint = this.#endpoints.get(name);
    if (this.#options.servers.get(name)?.enabled) {
      endpoint?.changed();
      return;
    }
    // Removed or switched off: whoever uses it hears of it by the end of the session.
    this.#endpoints.delete(name);
    void endpoint?.close();
    void this.#shared.get(name)?.close();
    this.#shared.delete(name);
  }
}
