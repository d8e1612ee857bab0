// Lists of catalogues, read entry by entry: one that is bad must not hide the others.
import { z } from 'zod';

export const goodEntries = <T>(entry: z.ZodType<T>) =>
  z.array(z.unknown()).transform((items) =>
    items.flatMap((item) => {
      const parsed = entry.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    }),
  );
