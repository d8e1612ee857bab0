// How a tool answers: its value as structured content and as text, its failure as an error with a code.
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import { AppError, toAppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { ownSessionId, shownTo } from '../ownership.js';

/** Who asks, and where failures are logged. */
export interface ToolCaller {
  owner: Owner;
  logger: Logger;
}

/** A tool's own work: one domain call and its shape. */
export type ToolWork<Input> = (input: Input, context: ServerContext) => Promise<object> | object;

/** Failures of tools are results, so that a model can read them; the code is in the text and, for programs, in `_meta`. */
export function answering<Input>({ owner, logger }: ToolCaller, work: ToolWork<Input>) {
  return async (input: Input, context: ServerContext): Promise<CallToolResult> => {
    try {
      const value = shownTo(owner, await work(withOwnSession(owner, input), context));
      return {
        content: [{ type: 'text', text: JSON.stringify(value) }],
        structuredContent: value as Record<string, unknown>,
      };
    } catch (thrown) {
      const failure = toAppError(thrown);
      const { code, message, details } = shownTo(owner, {
        code: failure.code,
        message: failure.message,
        details: failure.details ?? {},
      });
      if (code === 'internal') logger.error({ err: thrown, tool: context.mcpReq.method }, 'an MCP tool failed');
      return {
        isError: true,
        content: [{ type: 'text', text: `${code}: ${message}` }],
        _meta: { 'venom/error': { code, message, ...details } },
      };
    }
  };
}

function withOwnSession<Input>(owner: Owner, input: Input): Input {
  const named = input as { session_id?: unknown };
  return typeof named?.session_id === 'string'
    ? { ...input, session_id: ownSessionId(owner, named.session_id) }
    : input;
}

/** What starts programs, fetches models or changes what everybody uses. @throws AppError `forbidden` */
export function requireAdministrator(context: ServerContext): void {
  if (!context.http?.authInfo?.scopes.includes('administrator'))
    throw new AppError('forbidden', 'Only an administrator may do this: with the API key, or from this machine.');
}
