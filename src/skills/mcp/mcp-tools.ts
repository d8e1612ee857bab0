// The tools of imported servers, as everybody who chooses or calls a tool sees them.
import { AppError, type ErrorCode } from '../../shared/errors.js';
import type { ToolCall, ToolDescriptor, ToolOutcome, ToolProvider } from '../ports.js';
import { toldTo } from './for-users.js';
import type { McpServers } from './mcp-servers.js';
import type { ProxyGenerator, ToolProxy } from './proxy-generator.js';
import { boundsRefusal } from './schema-bounds.js';
import type { Launch } from './server-definition.js';
import { isQuarantined } from './tool-inventory.js';
import { toolName } from './tool-names.js';
import { toOutcome } from './tool-result.js';

/** They are what the caller must know of: everything else is an outcome a model can read. */
const RAISED: ReadonlySet<ErrorCode> = new Set([
  'cancelled',
  'mcp_server_disabled',
  'mcp_untrusted',
  'shutting_down',
  'forbidden',
]);

export interface McpToolsOptions {
  servers: McpServers;
  generator: ProxyGenerator;
  reachesNetwork: (launch: Launch) => boolean;
}

export class McpTools implements ToolProvider {
  readonly kind = 'mcp';
  readonly #options: McpToolsOptions;
  /** Made when first asked for after a change. */
  #proxies: ReadonlyMap<string, ToolProxy> | undefined;

  constructor(options: McpToolsOptions) {
    this.#options = options;
    options.servers.onChange(() => {
      this.#proxies = undefined;
    });
  }

  tools(): ToolDescriptor[] {
    return [...this.#all().values()].map(({ descriptor }) => descriptor);
  }

  /** A server's tools as a model is offered them, under the server's own names. */
  proxiesOf(server: string): ReadonlyMap<string, ToolDescriptor> {
    const own = [...this.#all().values()].filter((proxy) => proxy.server === server);
    return new Map(own.map(({ tool, descriptor }) => [tool, descriptor]));
  }

  async call({ name, input, owner, labels, signal, person, onProgress }: ToolCall): Promise<ToolOutcome> {
    const proxy = this.#all().get(name);
    if (!proxy) throw this.#whyNot(name);
    const wrong = boundsRefusal(input, 'The input') ?? (await proxy.check(input ?? {}));
    if (wrong) return failure('invalid_input', `The input of ${name} is wrong: ${wrong}`, labels);
    try {
      // With the protocol's library, which a server that calls no tools does not need in memory.
      const { askingCall } = await import('./asking-call.js');
      const result = await askingCall({
        servers: this.#options.servers,
        server: proxy.server,
        params: { name: proxy.tool, arguments: (input ?? {}) as Record<string, unknown> },
        owner,
        person,
        options: {
          signal,
          ...(onProgress
            ? { onProgress: ({ progress, total, message }) => onProgress(progress, total ?? null, message ?? null) }
            : {}),
        },
      });
      return toOutcome(result, labels);
    } catch (error) {
      const { ProtocolError } = await import('@modelcontextprotocol/client');
      if (error instanceof ProtocolError)
        return failure('mcp_protocol', `${name} was refused: ${error.message.slice(0, 1_000)}`, labels);
      if (!(error instanceof AppError)) throw error;
      if (RAISED.has(error.code)) throw toldTo(owner, proxy.server, error);
      const told = toldTo(owner, proxy.server, error);
      return failure(told.code, told.message, labels);
    }
  }

  /** What cannot be called is there all the same, and waits for somebody. */
  #whyNot(name: string): AppError {
    for (const { name: server, enabled, active } of this.#options.servers.records()) {
      const tool = active.manifest?.tools.find(({ definition }) => toolName(server, definition.name) === name);
      if (!tool || tool.gone) continue;
      if (!enabled)
        return new AppError('mcp_server_disabled', `${server} is switched off; an administrator can enable it.`);
      if (tool.refused !== null) return new AppError('tool_quarantined', `${name} cannot be used: ${tool.refused}`);
      if (isQuarantined(tool))
        return new AppError(
          'tool_quarantined',
          `${name} is new or has changed; it waits until an administrator has looked at it (venom mcp tools ${server}).`,
        );
    }
    return new AppError('tool_not_found', `There is no tool ${name}.`);
  }

  #all(): ReadonlyMap<string, ToolProxy> {
    const { servers, generator, reachesNetwork } = this.#options;
    this.#proxies ??= new Map(
      servers
        .records()
        .filter(({ enabled }) => enabled)
        .flatMap((record) => generator.generate(record, { egress: reachesNetwork(record.active.launch) }))
        .map((proxy) => [proxy.descriptor.name, proxy]),
    );
    return this.#proxies;
  }
}

const failure = (errorCode: ErrorCode, text: string, labels: readonly string[]): ToolOutcome => ({
  text,
  structured: null,
  failed: true,
  errorCode,
  labels,
  untrusted: true,
});
