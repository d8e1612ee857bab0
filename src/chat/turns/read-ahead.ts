// The first piece of a stream is asked for at once, so that it is there when its reader is ready for it.

/**
 * What `source` gives, in its order. Its first value, or its failure, waits for the reader.
 * Rejects where `source` does.
 */
export async function readAhead<T>(source: Promise<AsyncIterable<T>>): Promise<AsyncIterable<T>> {
  const iterator = (await source)[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<T>> | undefined = iterator.next();
  // Whoever never reads has it handled; whoever does gets it thrown.
  first.catch(() => {});
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const next = first ?? iterator.next();
        first = undefined;
        return next;
      },
      return: async (value) => {
        await iterator.return?.(value);
        return { done: true, value };
      },
    }),
  };
}
