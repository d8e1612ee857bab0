// GET /history/requests
import { z } from 'zod';

export const TRACE_STATUSES = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'LOST'] as const;
export const HistoryQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
  offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
  // Checked by the route, because the contract answers an unknown status with 400.
  status: z.string().max(40).optional(),
});
