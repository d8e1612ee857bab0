// What went wrong, in the reader's language. The server speaks English and says precisely what; its codes say what kind.
import i18next from 'i18next';

/** Whose sentence tells nothing beyond the code. */
const SAYS_ALL = new Set([
  'unreachable',
  'unauthorized',
  'rate_limit_exceeded',
  'internal',
  'shutting_down',
  'no_model',
  'no_endpoint',
  'runtime_busy',
  'cancelled',
  'interrupted',
  'session_not_found',
  'memory_not_found',
  'request_not_found',
  'task_not_found',
  'operation_not_found',
  'queue_full',
  'switch_in_progress',
  'approval_not_found',
  'approval_expired',
  'question_not_found',
]);

export function errorText(code: string | null | undefined, detail: string): string {
  const key = `error.${code}`;
  if (!code || !i18next.exists(key)) return detail || i18next.t('error.unknown');
  if (detail === '') return i18next.t(key);
  if (i18next.language === 'en') return detail;
  return SAYS_ALL.has(code) ? i18next.t(key) : `${i18next.t(key)} (${detail})`;
}
