// GET /history/requests, and what is told there and beside each message of the context of an answer
import { z } from 'zod';
import { whole } from './lax-values.js';

export const TRACE_STATUSES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'LOST'] as const;
export const HistoryQuery = z.object({
  limit: whole(z.int().min(1).max(1_000)).prefault(50),
  // As far as anybody leafs; there is nothing behind.
  offset: whole(z.int().min(0))
    .transform((offset) => Math.min(offset, 10_000_000))
    .prefault(0),
  // Checked by the route, because the contract answers an unknown status with 400.
  status: z.string().max(40).optional(),
});

const Recalled = z.object({
  id: z.string(),
  /** The rest is null once it was forgotten. */
  kind: z.string().nullable(),
  source: z.string().nullable(),
  text: z.string().nullable(),
});
export const ContextReport = z.object({
  memories: z.array(Recalled),
  lessons: z.array(Recalled),
  /** What did not fit into the model's window. */
  dropped: z.array(z.object({ part: z.string(), tokens: z.number() })),
  /** `lexical_only`: memories were searched by words alone. */
  degraded: z.string().nullable(),
});
