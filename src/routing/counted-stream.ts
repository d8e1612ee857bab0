// A stream of batches whose text is counted and whose end is told, without a hop of its own.
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { StreamBatches } from './ports.js';

type Batch = readonly LanguageModelV4StreamPart[];

export interface StreamWatch {
  /** Throws where the stream is to end here. */
  onBatch(batch: Batch): void;
  /** Once: at the end, at a failure, or when the reader leaves. */
  onEnd(failure: unknown): void;
}

export function watched(source: StreamBatches, watch: StreamWatch): StreamBatches {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      let ended = false;
      const end = (failure: unknown) => {
        if (!ended) watch.onEnd(failure);
        ended = true;
      };
      return {
        next: () =>
          iterator.next().then(
            (result) => {
              if (result.done) end(undefined);
              else
                try {
                  watch.onBatch(result.value);
                } catch (failure) {
                  end(failure);
                  // Nobody else does: who reads takes a stream that failed for one that has ended.
                  iterator.return?.().catch(() => {});
                  throw failure;
                }
              return result;
            },
            (failure) => {
              end(failure);
              throw failure;
            },
          ),
        return: async () => {
          end(undefined);
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Bytes of what a person reads; of an engine in the house the wire itself is not of interest. */
export function textBytes(batch: Batch): number {
  let bytes = 0;
  for (const part of batch)
    if (part.type === 'text-delta' || part.type === 'reasoning-delta') bytes += Buffer.byteLength(part.delta);
    else if (part.type === 'tool-call') bytes += Buffer.byteLength(part.input);
  return bytes;
}

/** Whether something of an answer is in it: after that there is no other engine to go to. */
export const hasAnswer = (batch: Batch): boolean =>
  batch.some(
    ({ type }) => type !== 'stream-start' && type !== 'response-metadata' && type !== 'text-start' && type !== 'error',
  );

export const errorIn = (batch: Batch): unknown => {
  const part = batch.find(({ type }) => type === 'error');
  return part?.type === 'error' ? (part.error ?? new Error('unknown')) : undefined;
};
