// How a tool answers: its value as structured content and as text, its failure as an error with a code.
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import { AppError, toAppError } from '../../shared/errors.js';

/** A tool's own work: one domain call and its shape. */
export type ToolWork<Input> = (input: Input, context: ServerContext) => Promise<object> | object;

/** Failures of tools are results, so that a model can read them; the code is in the text and, for programs, in `_meta`. */
export function answering<Input>(logger: Logger, work: ToolWork<Input>) {
  return async (input: Input, context: ServerContext): Promise<CallToolResult> => {
    try {
      const value = await work(input, context);
      return {
        content: [{ type: 'text', text: JSON.stringify(value) }],
        structuredContent: value as Record<string, unknown>,
      };
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'internal') logger.error({ err: thrown, tool: context.mcpReq.method }, 'an MCP tool failed');
      return {
        isError: true,
        content: [{ type: 'text', text: `${error.code}: ${error.message}` }],
        _meta: { 'venom/error': { code: error.code, message: error.message, ...(error.details ?? {}) } },
      };
    }
  };
}

/** What starts programs, fetches models or changes what everybody uses. @throws AppError `forbidden` */
export function requireAdministrator(context: ServerContext): void {
  if (!context.http?.authInfo?.scopes.includes('administrator'))
    throw new AppError('forbidden', 'Only an administrator may do this: with the API key, or from this machine.');
}
