// venom mcp: the running server for MCP clients that start a program and talk to it over stdin and stdout.
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';
import { McpBridge } from '../mcp-bridge.js';
import { startInBackground } from './start.js';

export interface McpServeOptions {
  /** Starts Venom where it does not run. */
  start?: boolean;
  /** An imported server, or `all`, instead of Venom's own tools. */
  server?: string;
}

/** @throws AppError `provider_unavailable` when no server runs, `invalid_input` for a name that cannot be one */
export async function serveMcp(context: CommandContext, { start, server }: McpServeOptions): Promise<void> {
  if (server !== undefined && !/^[\w-]{1,100}$/.test(server))
    throw new AppError('invalid_input', `${server} is no name of an MCP server.`);
  const found = await context.locateServer();
  if (!found && !start)
    throw new AppError(
      'provider_unavailable',
      'Venom is not running; start it with `venom start`, or add --start to this command',
    );
  const url = found?.url ?? (await startInBackground(context)).url;
  // Stdout belongs to the protocol; whatever a person should know goes to stderr, which clients keep in their log.
  const bridge = new McpBridge(new StdioServerTransport(), {
    url: new URL(server === undefined ? '/mcp' : `/mcp/${server}`, url),
    apiKey: context.settings.VENOM_API_KEY,
    note: (text) => process.stderr.write(`venom mcp: ${text}\n`),
  });
  const stop = () => void bridge.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await bridge.start();
  await bridge.done;
}
