// What a user who was granted a server is told when it does not work: that it does not, and not the paths, secrets' names and
// exit codes by which an administrator mends it.
import { AppError, type ErrorCode } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';

const OF_OPERATION: ReadonlySet<ErrorCode> = new Set(['mcp_crashed', 'mcp_untrusted', 'mcp_start_timeout']);

/** @param error  of starting or reaching the server, not of what it answered */
export function toldTo(viewer: Owner, server: string, error: AppError): AppError {
  if (viewer === null) return error;
  // A secret that is not stored makes its request invalid, which the user did not make.
  const code = error.code === 'invalid_input' ? 'mcp_crashed' : error.code;
  if (!OF_OPERATION.has(code)) return error;
  return new AppError(code, `${server} cannot be used at the moment; an administrator can see why.`, { cause: error });
}
