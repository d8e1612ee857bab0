// A stream of which something was read already, for a reader who is to get it whole.

/** First what was taken of `rest`, failures among it, then what is left. A reader that leaves, leaves `rest`. */
export const resumed = <T>(taken: Promise<IteratorResult<T>>[], rest: AsyncIterator<T>): AsyncIterable<T> => ({
  [Symbol.asyncIterator]: () => ({
    next: () => taken.shift() ?? rest.next(),
    return: async () => {
      await rest.return?.();
      return { done: true, value: undefined };
    },
  }),
});
