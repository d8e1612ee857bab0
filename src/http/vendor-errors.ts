// Errors in the form the clients of each API read. One place, because a refusal may come before any route is reached.

export interface VendorFailure {
  /** As our own API would answer. */
  status: number;
  code: string;
  message: string;
  /** The field at fault, where one is. */
  param: string | null;
  requestId: string;
  /** Of the error, for clients that branch on them. */
  details?: unknown;
}

/** Whose client asks, where an address does not tell it. */
export interface VendorClient {
  anthropic: boolean;
}

/** Undefined for paths of our own API. */
export function vendorError(
  path: string,
  failure: VendorFailure,
  { anthropic }: VendorClient = { anthropic: false },
): { status: number; body: object } | undefined {
  if (/^\/v1\/messages(?:\/|$)/.test(path)) return anthropicError(failure);
  if (path.startsWith('/v1/')) return anthropic ? anthropicError(failure) : openAiError(failure);
  if (path.startsWith('/api/') && !path.startsWith('/api/v1/'))
    return { status: formStatus(failure.status), body: { error: ollamaMessage(failure) } };
  if (path === '/mcp' || path.startsWith('/mcp/')) return jsonRpcError(failure);
  return undefined;
}

// Its clients have no codes: they look for these words to offer a download.
const ollamaMessage = ({ code, message }: VendorFailure): string =>
  code !== 'model_not_found' || /model .* not found/.test(message)
    ? message
    : `${message} (model not found, try pulling it first)`;

const SERVER_ERROR = -32_000;

const jsonRpcError = ({ status, code, message, requestId }: VendorFailure) => ({
  status: formStatus(status),
  body: { jsonrpc: '2.0', id: null, error: { code: SERVER_ERROR, message, data: { code, request_id: requestId } } },
});

/** A wrong form is 400 everywhere but at home. */
const formStatus = (status: number): number => (status === 422 ? 400 : status);

function openAiError({ status, code, message, param }: VendorFailure) {
  const type =
    status === 401
      ? 'authentication_error'
      : status === 429
        ? 'rate_limit_error'
        : status >= 500
          ? 'server_error'
          : 'invalid_request_error';
  return { status: formStatus(status), body: { error: { message, type, param, code } } };
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

export const anthropicErrorType = (status: number): string =>
  ANTHROPIC_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');

function anthropicError({ status, message, requestId, details }: VendorFailure) {
  return {
    // Their clients know "overloaded" by this number.
    status: status === 503 ? 529 : formStatus(status),
    body: {
      type: 'error',
      error: { type: anthropicErrorType(status), message, ...(details ? { details } : {}) },
      request_id: requestId,
    },
  };
}
