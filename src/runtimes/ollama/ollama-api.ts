// Ollama's wire, as far as we read it. It adds fields often, and they must not break us.
import { z } from 'zod';

export const Tags = z.object({
  models: z
    .array(
      z.object({
        name: z.string().min(1).max(300),
        size: z.number().nonnegative().nullish(),
        digest: z.string().max(200).nullish(),
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
        size: z.number().nullish(),
        size_vram: z.number().nullish(),
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
  prompt_eval_count: z.number().nullish(),
});

/** A line of `/api/pull` and `/api/create`. */
export const Progress = z.object({
  status: z.string().nullish(),
  digest: z.string().nullish(),
  total: z.number().nonnegative().nullish(),
  completed: z.number().nonnegative().nullish(),
  error: z.unknown().optional(),
});

/** A line of `/api/chat`. */
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
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: z.number().nullish(),
  eval_count: z.number().nullish(),
  // Nanoseconds.
  load_duration: z.number().nullish(),
  prompt_eval_duration: z.number().nullish(),
  eval_duration: z.number().nullish(),
  error: z.unknown().optional(),
});
