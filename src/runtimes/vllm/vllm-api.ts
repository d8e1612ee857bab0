// vLLM's own part of the wire, as far as we read it; the rest is OpenAI's.
// @see docs.vllm.ai: OpenAI-Compatible Server, Sleep Mode, LoRA Adapters, Production Metrics
import { z } from 'zod';

export const Models = z.object({
  data: z
    .array(
      z.object({
        id: z.string().min(1).max(300),
        /** Tokens of prompt and answer together; adapters leave it out. */
        max_model_len: z.number().int().positive().nullish(),
        /** Where the weights came from: a repository or a path. */
        root: z.string().max(1_000).nullish(),
        /** The model an adapter (LoRA) works on. */
        parent: z.string().max(300).nullish(),
      }),
    )
    .max(10_000),
});

export const Embeddings = z.object({
  data: z.array(z.object({ embedding: z.array(z.number()), index: z.number().int().optional() })),
  usage: z.object({ prompt_tokens: z.number().optional() }).nullish(),
});

export const Version = z.object({ version: z.string().max(100) });

export const Sleeping = z.object({ is_sleeping: z.boolean() });

export const Tokenized = z.object({ count: z.number().int().nonnegative() });
