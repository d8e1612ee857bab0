// Ollama's wire, as far as we read it. It adds fields often, and they must not break us.
import { z } from 'zod';

/** A count or a size that only informs: what is none is as if it had not been said. */
const figure = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER).nullish().catch(null);

export const Tags = z.object({
  models: z
    .array(
      z.object({
        name: z.string().min(1).max(300),
        size: figure,
        digest: z.string().max(200).nullish(),
        modified_at: z.string().max(100).nullish(),
        details: z
          .object({
            family: z.string().nullish(),
            families: z.array(z.string()).nullish(),
            quantization_level: z.string().nullish(),
            parameter_size: z.string().nullish(),
          })
          .nullish(),
      }),
    )
    .max(10_000)
    .nullable(),
});

export const Running = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        size: figure,
        size_vram: figure,
        expires_at: z.string().nullish(),
      }),
    )
    .nullable(),
});

export const Shown = z.object({
  template: z.string().nullish(),
  license: z.union([z.string(), z.array(z.string())]).nullish(),
  parameters: z.string().nullish(),
  details: z
    .object({
      family: z.string().nullish(),
      parameter_size: z.string().nullish(),
      quantization_level: z.string().nullish(),
    })
    .nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
  capabilities: z.array(z.string()).nullish(),
});

export const Version = z.object({ version: z.string() });

export const Embedded = z.object({
  embeddings: z.array(z.array(z.number())),
  prompt_eval_count: figure,
});

/** A line of `/api/pull` and `/api/create`. */
export const Progress = z.object({
  status: z.string().nullish(),
  digest: z.string().nullish(),
  total: z.number().nonnegative().nullish(),
  completed: z.number().nonnegative().nullish(),
  error: z.unknown().optional(),
});

/** A line of `/api/chat`, or of `/api/generate`, whose words are in `response`. */
export const ChatLine = z.object({
  message: z
    .object({
      content: z.string().nullish(),
      thinking: z.string().nullish(),
      tool_calls: z
        .array(z.object({ id: z.string().nullish(), function: z.object({ name: z.string(), arguments: z.unknown() }) }))
        .max(128)
        .nullish(),
    })
    .nullish(),
  response: z.string().nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: figure,
  eval_count: figure,
  // Nanoseconds.
  load_duration: figure,
  prompt_eval_duration: figure,
  eval_duration: figure,
  error: z.unknown().optional(),
});
