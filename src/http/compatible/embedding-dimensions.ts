// How long vectors are is the model's affair: another length can be wished for, and not be made up.
import { AppError } from '../../shared/errors.js';

/** @throws AppError `unsupported` */
export function checkDimensions(vectors: readonly number[][], wanted: number | null | undefined): void {
  const length = vectors[0]?.length;
  if (wanted === null || wanted === undefined || length === undefined || length === wanted) return;
  throw new AppError('unsupported', `dimensions: this model makes vectors of ${length} numbers, not of ${wanted}.`);
}
