// The errors a caller may branch on. The codes are API: docs/errors.md lists the same ones and a test compares.

export const ERROR_CODES = [
  'invalid_input',
  'unauthorized',
  'forbidden',
  'forbidden_host',
  'forbidden_origin',
  'not_found',
  'method_not_allowed',
  'conflict',
  'payload_too_large',
  'rate_limit_exceeded',
  'internal',
  'shutting_down',
  'model_not_found',
  'model_in_use',
  'ambiguous_model',
  'no_former_version',
  'no_model',
  'no_endpoint',
  'sensitive_blocked',
  'budget_exceeded',
  'invalid_model',
  'insufficient_memory',
  'insufficient_storage',
  'hash_mismatch',
  'download_failed',
  'source_unavailable',
  'gated_model',
  'unsafe_model',
  'operation_not_found',
  'unknown_parameter',
  'activation_failed',
  'switch_in_progress',
  'unsupported',
  'context_length_exceeded',
  'runtime_crashed',
  'runtime_busy',
  'translation_failed',
  'provider_unavailable',
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_reset',
  'upstream_protocol',
  'upstream_truncated',
  'upstream_redirect',
  'upstream_rejected',
  'cancelled',
  'interrupted',
  'session_not_found',
  'memory_not_found',
  'invalid_document',
  'request_not_found',
  'task_not_found',
  'task_timeout',
  'queue_full',
  'mcp_server_not_found',
  'mcp_server_disabled',
  'mcp_start_timeout',
  'mcp_crashed',
  'mcp_protocol',
  'mcp_timeout',
  'mcp_untrusted',
  'mcp_import_failed',
  'mcp_lock_mismatch',
  'mcp_authorization_required',
  'mcp_authorization_failed',
  'tool_not_found',
  'tool_quarantined',
  'definition_quarantined',
  'approval_stale',
  'tool_denied',
  'tool_failed',
  'tool_timeout',
  'approval_required',
  'approval_not_found',
  'approval_expired',
  'question_not_found',
  'invalid_answer',
  'store_newer',
  'backup_not_found',
  'invalid_backup',
  'store_corrupt',
  'store_locked',
  'store_unavailable',
  'invalid_settings',
  'port_taken',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A code that came from outside, such as another process's answer; undefined for one this version does not know. */
export const toErrorCode = (text: unknown): ErrorCode | undefined => ERROR_CODES.find((code) => code === text);

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  /** Figures and names a client may show or branch on; never secrets, never prompt text. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  /** `message` is one sentence naming what was asked for; `options.cause` keeps the original failure for the log. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { details?: Record<string, unknown> }) {
    super(message, options);
    this.code = code;
    this.details = options?.details;
  }
}

/** Any thrown value as an AppError, so that edges can rely on a code. Unknown failures become `internal`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError('internal', 'The server met an unexpected failure.', { cause: thrown });
}
