// GET /chat/modes: what each mode does with a message, and how much each stage may spend.
import { z } from 'zod';

export const ChatModes = z.object({
  modes: z.array(
    z.object({
      id: z.enum(['direct', 'normal', 'complex']),
      stages: z.array(
        z.object({
          id: z.string(),
          /** Null where nothing bounds it but the model. */
          max_tokens: z.int().nullable(),
          /** How often the model may be asked. */
          max_steps: z.int().nullable(),
          max_seconds: z.number().nullable(),
        }),
      ),
    }),
  ),
});
