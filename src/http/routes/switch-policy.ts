// Who may switch the engine: the sources of the contract, and the token where one is set.
import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../shared/errors.js';

const ALLOWED_SOURCES = ['make_start', 'ui'] as const;

export interface SwitchPolicy {
  payload: { allowed_sources: string[]; ownership_token_configured: boolean };
  /** @throws AppError `forbidden` */
  check(request: { switch_source: string; ownership_token?: string | null | undefined }): void;
}

export const switchPolicy = (token: string): SwitchPolicy => ({
  payload: { allowed_sources: [...ALLOWED_SOURCES], ownership_token_configured: token !== '' },
  check({ switch_source, ownership_token }) {
    if (!ALLOWED_SOURCES.some((source) => source === switch_source))
      throw new AppError('forbidden', `A switch may not come from ${switch_source}.`);
    if (token !== '' && !equal(token, ownership_token ?? ''))
      throw new AppError('forbidden', 'The ownership token of this switch is wrong.');
  },
});

const equal = (a: string, b: string): boolean =>
  Buffer.byteLength(a) === Buffer.byteLength(b) && timingSafeEqual(Buffer.from(a), Buffer.from(b));
