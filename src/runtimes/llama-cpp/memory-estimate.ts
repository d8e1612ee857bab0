// What a model will take in memory, from its header alone.
import { cacheBytesPerToken, OVERHEAD_BYTES } from '../../models/fit.js';
import { AppError } from '../../shared/errors.js';
import type { GgufHeader } from './gguf-check.js';

const DEFAULT_CONTEXT = 4_096;
const MIN_CONTEXT = 512;
const MAX_SEQUENCES = 4;

export interface LoadPlan {
  /** Tokens per conversation. */
  contextLength: number;
  /** Conversations at once. */
  sequences: number;
  weightsBytes: number;
  cacheBytes: number;
  totalBytes: number;
}

/**
 * The largest plan that fits: first four conversations of the wanted length, then fewer, then shorter.
 * @throws AppError `insufficient_memory` with the figures when even the smallest does not
 */
export function planLoad(header: GgufHeader, availableBytes: number, wantedContext?: number): LoadPlan {
  const trained = header.contextLength ?? DEFAULT_CONTEXT;
  const first = Math.max(MIN_CONTEXT, Math.min(wantedContext ?? DEFAULT_CONTEXT, trained));
  let smallest: LoadPlan | undefined;
  for (
    let contextLength = first;
    contextLength >= Math.min(MIN_CONTEXT, first);
    contextLength = Math.floor(contextLength / 2)
  ) {
    for (let sequences = MAX_SEQUENCES; sequences >= 1; sequences = Math.floor(sequences / 2)) {
      const cacheBytes = cacheBytesPerToken(header) * contextLength * sequences;
      const totalBytes = header.fileBytes + cacheBytes + OVERHEAD_BYTES;
      smallest = { contextLength, sequences, weightsBytes: header.fileBytes, cacheBytes, totalBytes };
      if (totalBytes <= availableBytes) return smallest;
    }
    if (wantedContext !== undefined) break;
  }
  const needed = smallest?.totalBytes ?? header.fileBytes;
  throw new AppError(
    'insufficient_memory',
    `The model needs ${megabytes(needed)} MB of memory, but ${megabytes(availableBytes)} MB are available.`,
    {
      details: {
        needed_bytes: needed,
        available_bytes: availableBytes,
        weights_bytes: header.fileBytes,
        cache_bytes: smallest?.cacheBytes ?? 0,
      },
    },
  );
}

const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576);
