// All imported servers as one: tools and prompts under `server__name`. Resources stay with the endpoint of their server, because
// two servers may use the same address.
import { McpServer, ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import type { McpRequestOptions, McpSession } from '../../../skills/mcp/ports.js';
import { asProtocolError } from './gateway-errors.js';
import type { JoinedNames } from './joined-names.js';
import { passOptions } from './pass-options.js';
import { repeatedRequest } from './repeated-request.js';

const PAGE = 500;

export interface JoinedServerOptions {
  version: string;
  names: () => Promise<JoinedNames>;
  /** The connection to one of the servers that this client uses. */
  session: (server: string) => Promise<McpSession>;
  underWay: Set<ServerContext>;
}

export function joinedServer({ version, names, session, underWay }: JoinedServerOptions): McpServer {
  const joined = new McpServer(
    { name: 'venom-gateway', title: 'Venom: all imported servers', version },
    { capabilities: { tools: { listChanged: true }, prompts: { listChanged: true } } },
  );
  const pass = async <T>(
    context: ServerContext,
    server: string,
    send: (session: McpSession, options: McpRequestOptions) => Promise<T>,
  ): Promise<T> => {
    underWay.add(context);
    try {
      return await send(await session(server), passOptions(context));
    } catch (error) {
      throw asProtocolError(error);
    } finally {
      underWay.delete(context);
    }
  };

  joined.server.setRequestHandler('tools/list', async ({ params }) => {
    const { tools } = await names();
    const { items, nextCursor } = pageOf([...tools.values()], params?.cursor);
    return { tools: items.map(({ definition }) => definition), ...(nextCursor ? { nextCursor } : {}) };
  });
  joined.server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = (await names()).tools.get(params.name);
    if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${params.name}.`);
    const result = await pass(context, tool.server, (upstream, options) =>
      upstream.callTool(
        { ...repeatedRequest(params, context, upstream.era, joined.server.getClientCapabilities()), name: tool.name },
        options,
      ),
    );
    if ('resultType' in result && result.resultType === 'input_required') return result;
    return joined.server.projectCallToolResult(
      result as Parameters<typeof joined.server.projectCallToolResult>[0],
      tool.definition.outputSchema,
    );
  });
  joined.server.setRequestHandler('prompts/list', async ({ params }) => {
    const { prompts } = await names();
    const { items, nextCursor } = pageOf([...prompts.values()], params?.cursor);
    return { prompts: items.map(({ definition }) => definition), ...(nextCursor ? { nextCursor } : {}) };
  });
  joined.server.setRequestHandler('prompts/get', async ({ params }, context) => {
    const prompt = (await names()).prompts.get(params.name);
    if (!prompt) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no prompt ${params.name}.`);
    return pass(context, prompt.server, (upstream, options) =>
      upstream.getPrompt(
        { ...repeatedRequest(params, context, upstream.era, joined.server.getClientCapabilities()), name: prompt.name },
        options,
      ),
    );
  });
  return joined;
}

/** @throws ProtocolError for a cursor that is none of ours */
function pageOf<T>(all: readonly T[], cursor: string | undefined): { items: T[]; nextCursor: string | undefined } {
  const from = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isSafeInteger(from) || from < 0 || from > all.length)
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'This cursor is not known.');
  const to = from + PAGE;
  return { items: all.slice(from, to), nextCursor: to < all.length ? String(to) : undefined };
}
