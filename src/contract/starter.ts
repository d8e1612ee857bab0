// The starter model: the small one that makes a fresh installation answer.
import { z } from 'zod';

export const StarterState = z.object({
  state: z.enum(['absent', 'downloading', 'verifying', 'installed', 'failed', 'off']),
  name: z.string(),
  display_name: z.string(),
  size_bytes: z.int(),
  received_bytes: z.int(),
  bytes_per_second: z.number().nullable(),
  source: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  hints: z.array(z.string()),
});
export const StarterInstallRequest = z.object({ path: z.string().min(1).max(4_096).nullish() }).nullish();
