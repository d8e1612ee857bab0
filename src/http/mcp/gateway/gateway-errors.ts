// Failures on the way to an imported server, in the protocol's words. What the server itself refused stays as it came.
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { AppError } from '../../../shared/errors.js';

export function asProtocolError(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const notFound = error.code === 'tool_not_found' || error.code === 'mcp_server_not_found';
  return new ProtocolError(
    notFound ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError,
    error.message,
    { code: error.code, ...(error.details ?? {}) },
  );
}
