// One imported server as its clients see it through Venom: requests are passed on as they come, answers as they are. Names
// and definitions stay the server's own.
import { McpServer, type ServerCapabilities, type ServerContext } from '@modelcontextprotocol/server';
import type { McpRequestOptions, McpSession } from '../../../skills/mcp/ports.js';
import { asProtocolError } from './gateway-errors.js';
import { passOptions } from './pass-options.js';
import { repeatedRequest } from './repeated-request.js';

type Tools = Awaited<ReturnType<McpSession['listTools']>>['tools'];

export interface PassedOnOptions {
  session: McpSession;
  /** As they were listed last: headers that repeat arguments are checked against them. */
  tools: Tools;
  /** Requests that are under way, newest last: what the server asks meanwhile belongs to one of them. */
  underWay: Set<ServerContext>;
  /** Of the client. */
  era: 'modern' | 'legacy';
}

export class PassedOnServer extends McpServer {
  readonly #session: McpSession;
  readonly #tools: ReadonlyMap<string, Tools[number]>;
  readonly #underWay: Set<ServerContext>;

  constructor({ session, tools, underWay, era }: PassedOnOptions) {
    super(session.serverInfo ?? { name: session.server, version: '0' }, {
      capabilities: passedOn(session.capabilities, era),
      ...(session.instructions === null ? {} : { instructions: session.instructions }),
    });
    this.#session = session;
    this.#underWay = underWay;
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#passTools();
    this.#passResources();
    this.#passPrompts();
  }

  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    return this.#tools.get(name)?.inputSchema;
  }

  #passTools(): void {
    const session = this.#session;
    if (!session.capabilities.tools) return;
    this.server.setRequestHandler('tools/list', ({ params }, context) =>
      this.#pass(context, (options) => session.listTools(pageOf(params), options)),
    );
    this.server.setRequestHandler('tools/call', async ({ params }, context) => {
      const result = await this.#pass(context, (options) => session.callTool(this.#repeated(params, context), options));
      if ('resultType' in result && result.resultType === 'input_required') return result;
      return this.server.projectCallToolResult(
        result as Parameters<typeof this.server.projectCallToolResult>[0],
        this.#tools.get(params.name)?.outputSchema,
      );
    });
  }

  #passResources(): void {
    const session = this.#session;
    const { resources } = session.capabilities;
    if (!resources) return;
    this.server.setRequestHandler('resources/list', ({ params }, context) =>
      this.#pass(context, (options) => session.listResources(pageOf(params), options)),
    );
    this.server.setRequestHandler('resources/templates/list', ({ params }, context) =>
      this.#pass(context, (options) => session.listResourceTemplates(pageOf(params), options)),
    );
    this.server.setRequestHandler('resources/read', ({ params }, context) =>
      this.#pass(context, (options) => session.readResource(this.#repeated(params, context), options)),
    );
    if (!resources.subscribe) return;
    this.server.setRequestHandler('resources/subscribe', async ({ params }, context) => {
      await this.#pass(context, (options) => session.subscribeResource({ uri: params.uri }, options));
      return {};
    });
    this.server.setRequestHandler('resources/unsubscribe', async ({ params }, context) => {
      await this.#pass(context, (options) => session.unsubscribeResource({ uri: params.uri }, options));
      return {};
    });
  }

  #passPrompts(): void {
    const session = this.#session;
    const { prompts, completions, logging } = session.capabilities;
    if (prompts) {
      this.server.setRequestHandler('prompts/list', ({ params }, context) =>
        this.#pass(context, (options) => session.listPrompts(pageOf(params), options)),
      );
      this.server.setRequestHandler('prompts/get', ({ params }, context) =>
        this.#pass(context, (options) => session.getPrompt(this.#repeated(params, context), options)),
      );
    }
    if (completions)
      this.server.setRequestHandler('completion/complete', ({ params }, context) =>
        this.#pass(context, (options) => session.complete(params, options)),
      );
    if (logging)
      this.server.setRequestHandler('logging/setLevel', async ({ params }, context) => {
        await this.#pass(context, (options) => session.setLoggingLevel(params.level, options));
        return {};
      });
  }

  #repeated<P extends object>(params: P, context: ServerContext): P {
    return repeatedRequest(params, context, this.#session.era, this.server.getClientCapabilities());
  }

  async #pass<T>(context: ServerContext, send: (options: McpRequestOptions) => Promise<T>): Promise<T> {
    this.#underWay.add(context);
    try {
      return await send(passOptions(context));
    } catch (error) {
      throw asProtocolError(error);
    } finally {
      this.#underWay.delete(context);
    }
  }
}

const pageOf = (params: { cursor?: string | undefined } | undefined): { cursor: string } | undefined =>
  params?.cursor === undefined ? undefined : { cursor: params.cursor };

/**
 * What can be passed on. Updates of single resources need a connection of the client's own, so they are promised only to
 * clients that have one.
 */
function passedOn(
  { tools, resources, prompts, completions, logging }: ServerCapabilities,
  era: 'modern' | 'legacy',
): ServerCapabilities {
  const { subscribe, ...listed } = resources ?? {};
  return {
    ...(tools ? { tools } : {}),
    ...(resources ? { resources: { ...listed, ...(subscribe && era === 'legacy' ? { subscribe } : {}) } } : {}),
    ...(prompts ? { prompts } : {}),
    ...(completions ? { completions } : {}),
    ...(logging ? { logging } : {}),
  };
}
