// The first piece of a stream is asked for at once, so that it is there when its reader is ready for it.
import { resumed } from '../../shared/resumed-stream.js';

/**
 * What `source` gives, in its order. Its first value, or its failure, waits for the reader.
 * Rejects where `source` does.
 */
export async function readAhead<T>(source: Promise<AsyncIterable<T>>): Promise<AsyncIterable<T>> {
  const iterator = (await source)[Symbol.asyncIterator]();
  const first = iterator.next();
  // Whoever never reads has it handled; whoever does gets it thrown.
  first.catch(() => {});
  return resumed([first], iterator);
}
