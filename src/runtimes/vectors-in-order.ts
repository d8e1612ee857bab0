// The vectors that a server sent for some inputs. One too few, and every text after it would be found by another's meaning.
import { AppError } from '../shared/errors.js';

export interface SentVector {
  readonly embedding: readonly number[];
  /** Of its input; without one they come in order. */
  readonly index?: number | undefined;
}

/** @throws AppError `upstream_protocol` where they are not one for each input */
export function vectorsInOrder(server: string, inputs: number, sent: readonly SentVector[]): number[][] {
  const vectors: number[][] = [];
  for (const [position, { embedding, index = position }] of sent.entries()) {
    if (embedding.length === 0) throw new AppError('upstream_protocol', `${server} answered with an empty vector.`);
    if (index < 0 || index >= inputs || vectors[index] !== undefined)
      throw new AppError('upstream_protocol', `${server} answered with a vector that belongs to no input.`);
    vectors[index] = [...embedding];
  }
  if (sent.length !== inputs)
    throw new AppError('upstream_protocol', `${server} answered ${inputs} inputs with ${sent.length} vectors.`);
  return vectors;
}
