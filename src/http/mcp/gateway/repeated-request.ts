// A request as it goes on to the imported server: with what the library has lifted out of it, and with what this client can do.
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  LOG_LEVEL_META_KEY,
  type ServerContext,
} from '@modelcontextprotocol/server';

/**
 * A server of the 2026 era asks for no more than the client can do, and its state comes back to it untouched. A server of the
 * 2025 era knows none of this.
 * @param declared  what a client of the 2025 era said at the start
 */
export function repeatedRequest<P extends object>(
  params: P,
  context: ServerContext,
  era: 'modern' | 'legacy',
  declared: ClientCapabilities | undefined,
): P {
  const { _meta, envelope, inputResponses, requestState } = context.mcpReq;
  // The connection to the server counts its progress itself.
  const { progressToken: _, ...meta } = _meta ?? {};
  const state = requestState<string>();
  const given = envelope as Record<string, unknown> | undefined;
  const capabilities = given?.[CLIENT_CAPABILITIES_META_KEY] ?? declared;
  const logLevel = given?.[LOG_LEVEL_META_KEY];
  const passed = {
    ...meta,
    ...(era === 'modern' && capabilities !== undefined ? { [CLIENT_CAPABILITIES_META_KEY]: capabilities } : {}),
    ...(era === 'modern' && logLevel !== undefined ? { [LOG_LEVEL_META_KEY]: logLevel } : {}),
  };
  const { _meta: __, ...rest } = params as P & { _meta?: unknown };
  return {
    ...rest,
    ...(Object.keys(passed).length > 0 ? { _meta: passed } : {}),
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(state === undefined ? {} : { requestState: state }),
  } as P;
}
