import { expect, it } from 'vitest';
import { AppError, ERROR_CODES } from '../../shared/errors.js';
import { judgeFailure, judgeStatus } from './judge-failure.js';

const kindOf = (code: (typeof ERROR_CODES)[number], status?: number) =>
  judgeFailure(new AppError(code, 'x', status === undefined ? {} : { details: { status } })).kind;

it('leaves out at once who cannot be reached, and who answers nonsense', () => {
  for (const code of ['upstream_unreachable', 'upstream_reset', 'upstream_timeout', 'upstream_protocol'] as const)
    expect(kindOf(code)).toBe('away');
  expect(kindOf('upstream_rejected', 503)).toBe('away');
});

it('does not hold a missing model or a full queue against a server', () => {
  expect(kindOf('model_not_found')).toBe('elsewhere');
  expect(kindOf('upstream_rejected', 429)).toBe('elsewhere');
  expect(kindOf('upstream_rejected', 500)).toBe('faulty');
  expect(kindOf('upstream_rejected', 401)).toBe('faulty');
});

it('asks nobody else what every server would refuse', () => {
  expect(kindOf('upstream_rejected', 400)).toBe('question');
  expect(kindOf('cancelled')).toBe('question');
  expect(judgeStatus(422)).toBe('question');
  expect(judgeFailure(new Error('odd')).kind).toBe('question');
});

it('knows every code', () => {
  for (const code of ERROR_CODES) expect(['away', 'faulty', 'elsewhere', 'question']).toContain(kindOf(code));
});
