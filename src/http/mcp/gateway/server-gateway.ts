// The endpoint of one imported server. A client of the 2025 era has a connection of its own behind it, so that whatever the
// server asks or tells can only reach that client; requests of the 2026 era stand for themselves and share one.
import type { McpServer } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { ImportedServers, McpNotification, McpSession } from '../../../skills/mcp/ports.js';
import { McpEndpoint } from '../mcp-endpoint.js';
import type { McpServed, McpSessionLimits } from '../mcp-sessions.js';
import { ClientInteraction } from './client-interaction.js';
import { PassedOnServer } from './passed-on-server.js';
import { SharedSession } from './shared-session.js';

type Tools = Awaited<ReturnType<McpSession['listTools']>>['tools'];

export interface ServerGatewayOptions {
  servers: ImportedServers;
  name: string;
  limits: McpSessionLimits;
  logger: Logger;
}

export class ServerGateway {
  readonly #options: ServerGatewayOptions;
  readonly #endpoint: McpEndpoint;
  readonly #shared: SharedSession;
  /** As they were listed last; told anew after every change. */
  #tools: Promise<Tools> | undefined;

  constructor(options: ServerGatewayOptions) {
    const { servers, name, limits, logger } = options;
    this.#options = options;
    this.#shared = new SharedSession({
      servers,
      name,
      idleMs: limits.idleMs,
      onNotification: (notification) => this.#heard(notification),
    });
    this.#endpoint = new McpEndpoint({
      make: (served) => this.#make(served),
      // A server that does not start is told with its code, not as a failure of ours.
      prepare: async () => void (await this.#shared.get()),
      limits,
      logger,
    });
  }

  handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return this.#endpoint.handle(request, reply);
  }

  /** Its tools or its state have changed. */
  changed(): void {
    this.#tools = undefined;
    this.#endpoint.notify.toolsChanged();
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#endpoint.close(), this.#shared.close()]);
  }

  async #make({ client }: McpServed): Promise<McpServer> {
    if (client.era === 'modern') {
      const session = await this.#shared.get();
      return new PassedOnServer({ session, tools: await this.#listed(session), underWay: new Set(), era: 'modern' });
    }
    const interaction = new ClientInteraction();
    const session = await this.#options.servers.session(this.#options.name, {
      interaction: interaction.offered(client.capabilities),
    });
    try {
      const { underWay } = interaction;
      const server = new PassedOnServer({ session, tools: await this.#listed(session), underWay, era: 'legacy' });
      interaction.server = server;
      session.onNotification((notification) => {
        if (notification.method === 'notifications/tools/list_changed') this.#tools = undefined;
        // A client that has gone hears nothing.
        void interaction.tell(notification).catch(() => {});
      });
      // The client begins a new session where the server has gone, and the server ends with the session.
      session.onClose(() => void server.close());
      server.server.onclose = () => void session.close();
      return server;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  #listed(session: McpSession): Promise<Tools> {
    if (!session.capabilities.tools) return Promise.resolve([]);
    const listing = this.#tools ?? session.listTools().then(({ tools }) => tools);
    this.#tools = listing;
    listing.catch(() => {
      if (this.#tools === listing) this.#tools = undefined;
    });
    return listing;
  }

  #heard({ method, params }: McpNotification): void {
    const { notify } = this.#endpoint;
    if (method === 'notifications/tools/list_changed') this.changed();
    else if (method === 'notifications/prompts/list_changed') notify.promptsChanged();
    else if (method === 'notifications/resources/list_changed') notify.resourcesChanged();
    else if (method === 'notifications/resources/updated') notify.resourceUpdated(String(params?.['uri']));
    // Anything else belongs to one request of one client, and nobody knows whose.
  }
}
