// Every failure in one shape: the contract's `detail`, with `code` and `request_id` beside it.
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { AppError, type ErrorCode } from '../shared/errors.js';
import { BrokenJson } from './json-body.js';
import { ROUTE_OF_NAMES } from './method-table.js';
import { requestPath } from './request-path.js';
import { type ValidationIssue, validationDetail } from './validation-detail.js';
import { vendorError } from './vendor-errors.js';

export const STATUS = {
  invalid_input: 400,
  unauthorized: 401,
  forbidden: 403,
  forbidden_host: 403,
  forbidden_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  rate_limit_exceeded: 429,
  internal: 500,
  shutting_down: 503,
  model_not_found: 404,
  model_in_use: 409,
  ambiguous_model: 409,
  no_former_version: 409,
  no_model: 400,
  no_endpoint: 503,
  sensitive_blocked: 403,
  budget_exceeded: 402,
  invalid_model: 422,
  insufficient_memory: 507,
  insufficient_storage: 507,
  hash_mismatch: 502,
  download_failed: 502,
  source_unavailable: 503,
  gated_model: 403,
  unsafe_model: 422,
  operation_not_found: 404,
  unknown_parameter: 400,
  activation_failed: 409,
  switch_in_progress: 409,
  unsupported: 400,
  context_length_exceeded: 400,
  runtime_crashed: 502,
  runtime_busy: 503,
  translation_failed: 500,
  provider_unavailable: 503,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_reset: 502,
  upstream_protocol: 502,
  upstream_truncated: 502,
  upstream_redirect: 502,
  upstream_rejected: 502,
  cancelled: 499,
  interrupted: 500,
  session_not_found: 404,
  memory_not_found: 404,
  invalid_document: 422,
  request_not_found: 404,
  task_not_found: 404,
  task_timeout: 504,
  queue_full: 503,
  mcp_server_not_found: 404,
  mcp_server_disabled: 409,
  mcp_start_timeout: 504,
  mcp_crashed: 502,
  mcp_protocol: 502,
  mcp_timeout: 504,
  mcp_untrusted: 403,
  mcp_import_failed: 422,
  mcp_lock_mismatch: 422,
  // Not 401: that would say something about the caller's own key.
  mcp_authorization_required: 409,
  mcp_authorization_failed: 502,
  tool_not_found: 404,
  tool_quarantined: 409,
  definition_quarantined: 409,
  approval_stale: 409,
  tool_denied: 403,
  tool_failed: 502,
  tool_timeout: 504,
  approval_required: 409,
  approval_not_found: 404,
  approval_expired: 408,
  question_not_found: 404,
  invalid_answer: 422,
  store_newer: 500,
  backup_not_found: 404,
  invalid_backup: 422,
  store_corrupt: 500,
  store_locked: 500,
  store_unavailable: 503,
  invalid_settings: 500,
  port_taken: 500,
} satisfies Record<ErrorCode, number>;

/** The framework's own refusals that a client may branch on. */
const FRAMEWORK_CODE: Record<number, ErrorCode> = {
  400: 'invalid_input',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'invalid_input',
};

/** @param methodsOf  what an address knows; none where it leads nowhere */
export function installErrorHandler(app: FastifyInstance, methodsOf = (_url: string): string[] => []): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (hasZodFastifySchemaValidationErrors(error)) {
      return answer(request, reply, 422, 'invalid_input', validationDetail(error, request));
    }
    // The contract knows one answer to a body of a wrong form; the other APIs say 400 to both.
    if (error instanceof BrokenJson) return answer(request, reply, 422, 'invalid_input', [brokenJson(error)]);
    if (error instanceof AppError) {
      const status = isTooMany(error) ? 429 : STATUS[error.code];
      if (status === 404 && ROUTE_OF_NAMES.test(request.routeOptions.url ?? '')) {
        const others = methodsOf(pathOf(request));
        if (others.length > 0) return refuseMethod(request, reply, others);
      }
      if (status >= 500) request.log.warn({ err: error, requestId: request.id }, error.message);
      const wait = secondsToWait(status, error.details);
      if (wait !== undefined) reply.header('retry-after', String(wait));
      return answer(request, reply, status, error.code, error.message, error.details);
    }
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) {
      return answer(request, reply, status, FRAMEWORK_CODE[status] ?? 'invalid_input', error.message);
    }
    request.log.error({ err: error, requestId: request.id }, 'unexpected failure');
    return answer(request, reply, 500, 'internal', 'The server met an unexpected failure.');
  });
  app.setNotFoundHandler((request, reply) => {
    const address = pathOf(request);
    const allowed = methodsOf(address);
    if (allowed.length === 0 || allowed.includes(request.method))
      return answer(request, reply, 404, 'not_found', `There is no ${request.method} ${address}.`);
    return refuseMethod(request, reply, allowed);
  });
}

/** An engine that is asked too often: nothing is broken, and its client knows what to do about it. */
const isTooMany = ({ code, details }: AppError): boolean =>
  (code === 'upstream_rejected' || code === 'translation_failed') && details?.['status'] === 429;

/** When to come back; undefined where nobody knows. */
function secondsToWait(status: number, details: AppError['details']): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const { retryAfterMs, retry_after_seconds: seconds } = details ?? {};
  const told = typeof retryAfterMs === 'number' ? retryAfterMs / 1_000 : seconds;
  if (typeof told === 'number') return boundedWaitSeconds(told);
  return status === 503 ? SHORT_WAIT_SECONDS : undefined;
}

/** What an engine or a broken clock may ask for; a client that believed more would never come back. */
const LONGEST_WAIT_SECONDS = 3_600;
const SHORT_WAIT_SECONDS = 2;

export const boundedWaitSeconds = (seconds: number): number =>
  Math.min(Math.max(Math.ceil(seconds), 1), LONGEST_WAIT_SECONDS);

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '';

function refuseMethod(request: FastifyRequest, reply: FastifyReply, allowed: string[]) {
  reply.header('allow', allowed.join(', '));
  // The words of the original's framework: a client may compare them.
  return answer(request, reply, 405, 'method_not_allowed', 'Method Not Allowed');
}

const BROKEN_JSON = 'json_invalid';

const brokenJson = ({ message, position }: BrokenJson): ValidationIssue => ({
  type: BROKEN_JSON,
  loc: ['body', position],
  msg: message,
  input: null,
});

/** Addresses that are none, or too long: the framework refuses them before any hook. */
export function refuseFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  answer(request, reply, error.statusCode ?? 400, 'invalid_input', refusalOf(error));
}

// The framework's text repeats the address, which may be as long as it likes.
const refusalOf = ({ statusCode }: FastifyError): string =>
  statusCode === 414 ? 'A name in the address is too long.' : 'The address is not a valid one.';

/** What is no HTTP at all, or has a head that is too large or never ends. There is no request yet. */
export function answerMalformed(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, detail] = MALFORMED[error.code ?? ''] ?? ['400 Bad Request', 'This is not a valid HTTP request.'];
  const body = JSON.stringify({ detail, code: 'invalid_input', request_id: crypto.randomUUID() });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (!socket.writable) return void socket.destroy();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Who neither reads nor hangs up keeps no connection; who is still sending gets the time to read what was said.
  setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
}

const LAST_WORDS_MS = 1_000;

const MALFORMED: Readonly<Record<string, [status: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The head of the request is too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not come to its end in time.'],
};

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: ErrorCode,
  detail: unknown,
  details?: unknown,
) {
  // A refused upgrade leaves a connection that the server no longer counts as its own.
  if (request.headers.upgrade) reply.header('connection', 'close').raw.once('finish', () => request.raw.socket.end());
  const [issue] = Array.isArray(detail) ? (detail as ValidationIssue[]) : [];
  const param = issue && issue.type !== BROKEN_JSON ? issue.loc.slice(1).join('.') : null;
  const message = issue ? `${param || 'body'}: ${issue.msg}` : String(detail);
  const requestId = String(reply.getHeader('x-request-id') ?? request.id);
  const failure = { status: statusForVendors(status, code, details), code, message, param, requestId, details };
  // Its clients send their version with everything, and share addresses with OpenAI's.
  const vendors = vendorError(requestPath(request), failure, { anthropic: 'anthropic-version' in request.headers });
  if (vendors) return reply.status(vendors.status).send(vendors.body);
  return reply.status(status).send({ detail, code, request_id: requestId, ...(details ? { details } : {}) });
}

/**
 * What an engine says of a request, that it is wrong or too long, holds for the client too; its library would ask again
 * for as long as it believes that a server has failed.
 */
function statusForVendors(status: number, code: ErrorCode, details: unknown): number {
  const engines = code === 'upstream_rejected' ? (details as { status?: unknown } | undefined)?.status : undefined;
  return engines === 400 || engines === 404 || engines === 413 || engines === 422 ? engines : status;
}
