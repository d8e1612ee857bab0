// The way back: to the newest former version that is still what it was. Knows what to pass over; how a version is tried and
// takes over is the activation's affair.
import { AppError, type ErrorCode, toAppError } from '../shared/errors.js';
import type { Activation, Candidate } from './activation.js';
import type { OperationContext } from './model-operation.js';
import type { ModelVersion } from './ports.js';

export interface PassedOver {
  versionId: string;
  code: ErrorCode;
  reason: string;
}

/** It is gone, another file has its name, or it no longer works. What may pass, such as too little memory, ends the search. */
const BEYOND_HELP: ReadonlySet<string> = new Set([
  'model_not_found',
  'hash_mismatch',
  'invalid_model',
  'runtime_crashed',
  'unsupported',
]);

/**
 * The former version serves when it returns; until then the present one does.
 * @throws AppError `no_former_version` where none is left, and `activation_failed`, `cancelled` as an activation does
 */
export async function goBack(
  activation: Activation,
  candidateOf: (version: ModelVersion) => Promise<Candidate>,
  context: OperationContext,
): Promise<{ version: ModelVersion; passedOver: PassedOver[] }> {
  const passedOver: PassedOver[] = [];
  for (const former of activation.formers) {
    try {
      const candidate = await candidateOf(former);
      // The very file that served then: another one under the same name is another version.
      const version = await activation.run(
        { ...candidate, expectedDigest: former.digest ?? candidate.expectedDigest },
        context,
      );
      return { version, passedOver };
    } catch (thrown) {
      const error = toAppError(thrown);
      const code = error.code === 'activation_failed' ? String(error.details?.['reason']) : error.code;
      if (context.signal.aborted || !BEYOND_HELP.has(code)) throw error;
      passedOver.push({ versionId: former.versionId, code: code as ErrorCode, reason: error.message });
      context.step('next', `${former.versionId} cannot serve: ${error.message}`);
    }
  }
  throw noFormerVersion(passedOver);
}

export function noFormerVersion(passedOver: readonly PassedOver[]): AppError {
  const reasons = passedOver.map(({ versionId, reason }) => `${versionId}: ${reason}`).join(' ');
  return new AppError(
    'no_former_version',
    passedOver.length === 0
      ? 'There is no former version to go back to.'
      : `None of the ${passedOver.length} former versions can serve any more; the present one goes on. ${reasons}`.slice(
          0,
          1_000,
        ),
    { details: { passed_over: passedOver.map(({ versionId, code }) => ({ version_id: versionId, code })) } },
  );
}
