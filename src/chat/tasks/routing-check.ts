// Whether the engine that would answer is the one the caller believes in. Pure.
import type { RoutedTarget } from '../turn-ports.js';
import { TaskError } from './task-failure.js';

export interface Expectations {
  configHash: string | null;
  runtimeId: string | null;
  provider: string | null;
}

const PROVIDERS: Readonly<Record<string, string>> = { gpt: 'openai', gem: 'google' };
const LOCAL = 'local';

/** `gpt` and `gem` as the providers they stand for. */
export const providerName = (name: string): string => PROVIDERS[name.toLowerCase()] ?? name.toLowerCase();

/**
 * `active` is what the caller could see; where routing sends one question is another matter.
 * @throws TaskError `runtime_not_supported`, `forced_provider_mismatch`, `routing_mismatch`
 */
export function checkRouting(
  target: Pick<RoutedTarget, 'provider' | 'decision'>,
  active: { configHash: string; runtimeId: string },
  expected: Expectations,
): void {
  const stage = 'routing';
  if (target.provider === 'onnx')
    throw new TaskError({ code: 'runtime_not_supported', message: 'ONNX models are not served by tasks.', stage });
  const wanted = expected.provider === null ? null : providerName(expected.provider);
  if (wanted !== null && wanted !== target.provider && !(wanted === LOCAL && target.decision.target === 'local')) {
    throw new TaskError({
      code: 'forced_provider_mismatch',
      message: `The task asks for ${wanted}, and ${target.provider} would answer.`,
      details: { expected: wanted, actual: target.provider },
      stage,
    });
  }
  // What was believed active says nothing about a provider that was named on purpose.
  if (wanted === null) {
    for (const [name, expectation, actual] of [
      ['config_hash', expected.configHash, active.configHash],
      ['runtime_id', expected.runtimeId, active.runtimeId],
    ] as const) {
      if (expectation !== null && expectation !== actual) {
        throw new TaskError({
          code: 'routing_mismatch',
          message: `The task expects ${name} ${expectation}, and ${actual} is active.`,
          details: { field: name, expected: expectation, actual },
          stage,
          retryable: true,
        });
      }
    }
  }
}
