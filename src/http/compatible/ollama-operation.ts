// How far an operation is, in the lines of Ollama's pull and create.
import { createHash } from 'node:crypto';
import type { ModelOperation } from '../../models/model-operation.js';
import type { ModelOperations } from '../../models/operations.js';
import { AppError } from '../../shared/errors.js';

const LOOK_AGAIN_MS = 1_000;

export interface FollowedOperations {
  operations: ModelOperations;
  /** Told of every change of every operation. @returns how to stop */
  onOperation: (listener: (operation: ModelOperation) => void) => () => void;
}

/** Ends with `success` or `error`. Who stops reading does not stop the operation: others see it too, and may cancel it. */
export async function* operationLines(
  { operations, onOperation }: FollowedOperations,
  { operationId, type, provider, modelName }: ModelOperation,
): AsyncGenerator<string> {
  // Clients keep one bar for each digest, so there must be one; what is fetched has none before it is there.
  const hash = createHash('sha256').update(`${provider}|${modelName}`).digest('hex');
  let wake = (): void => {};
  const leave = onOperation((changed) => {
    if (changed.operationId === operationId) wake();
  });
  const pulls = type === 'install';
  try {
    if (pulls) yield line({ status: 'pulling manifest' });
    let told = -1;
    let said = '';
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const { status, receivedBytes, totalBytes, error, message } = operations.get(operationId);
      if (totalBytes !== null && receivedBytes !== told) {
        told = receivedBytes;
        yield line({
          status: `pulling ${hash.slice(0, 12)}`,
          digest: `sha256:${hash}`,
          total: totalBytes,
          completed: receivedBytes,
        });
      }
      if (!pulls && status === 'in_progress' && message !== said && message !== 'success') {
        said = message;
        yield line({ status: message });
      }
      if (status === 'completed') {
        yield line({ status: 'success' });
        return;
      }
      if (status !== 'pending' && status !== 'in_progress') {
        yield line({ error: error?.message ?? message });
        return;
      }
      await Promise.race([changed, new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS).unref())]);
    }
  } finally {
    leave();
  }
}

/** The same without lines. @throws AppError of the operation where it failed */
export async function operationWhole(
  { operations }: FollowedOperations,
  { operationId }: ModelOperation,
): Promise<object> {
  const { status, error, message } = await operations.settled(operationId);
  if (status !== 'completed') throw new AppError(error?.code ?? 'cancelled', error?.message ?? message);
  return { status: 'success' };
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;
