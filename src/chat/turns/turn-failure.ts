// How an answer of Direct mode that broke off is told: to the client in the contract's codes, to the trace in ours.
import type { AppError, ErrorCode } from '../../shared/errors.js';

/** Why an answer is not whole that nobody failed at. */
export const STOPPED = {
  cancelled: { code: 'cancelled', message: 'The answer was stopped.' },
  interrupted: { code: 'interrupted', message: 'The server stopped before this answer was complete.' },
};

/** Codes after which the same question may well be answered. */
export const PASSING: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_reset',
  'upstream_truncated',
  'runtime_crashed',
  'runtime_busy',
]);

/** The stream's own codes are the contract's; the finer code stays in the trace. */
const STREAM_CODE: Partial<Record<string, string>> = {
  upstream_unreachable: 'llm_connection_error',
  upstream_timeout: 'llm_connection_error',
  upstream_reset: 'llm_connection_error',
  provider_unavailable: 'llm_connection_error',
  upstream_rejected: 'llm_http_error',
  upstream_redirect: 'llm_http_error',
  upstream_protocol: 'llm_invalid_response',
  upstream_truncated: 'llm_invalid_response',
  internal: 'internal_error',
};

/** What a client is told of it. */
export const publicFailure = (failure: AppError) => ({
  code: STREAM_CODE[failure.code] ?? failure.code,
  message: failure.message,
});
