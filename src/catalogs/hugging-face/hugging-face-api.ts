// Hugging Face's wire, as far as we read it.
import { z } from 'zod';
import { goodEntries } from '../download/good-entries.js';

const Gated = z.union([z.boolean(), z.string()]).nullish();

export const ListedModel = z.object({
  id: z.string().min(3).max(200),
  downloads: z.number().nullish(),
  likes: z.number().nullish(),
  tags: z.array(z.string()).nullish(),
  gated: Gated,
  pipeline_tag: z.string().max(100).nullish(),
  /** Of the weights, where the files say it; asked for with `expand`. */
  gguf: z.object({ total: z.number().nullish(), chat_template: z.string().nullish() }).nullish().catch(null),
  safetensors: z.object({ total: z.number().nullish() }).nullish().catch(null),
});

export const ModelList = goodEntries(ListedModel);

export const ModelInfo = z.object({
  id: z.string(),
  sha: z.string().regex(/^[0-9a-f]{7,64}$/),
  gated: Gated,
  tags: z.array(z.string()).nullish(),
  cardData: z.object({ license: z.union([z.string(), z.array(z.string())]).nullish() }).nullish(),
  siblings: z
    .array(
      z.object({
        rfilename: z.string().min(1).max(1_000),
        size: z.number().int().nonnegative().nullish(),
        lfs: z
          .object({ sha256: z.string().nullish(), oid: z.string().nullish(), size: z.number().nullish() })
          .nullish(),
      }),
    )
    .max(50_000),
});

export const DailyPapers = goodEntries(
  z.object({
    publishedAt: z.string().nullish(),
    paper: z.object({
      id: z.string(),
      title: z.string(),
      summary: z.string().nullish(),
      publishedAt: z.string().nullish(),
      authors: z.array(z.object({ name: z.string().nullish() })).nullish(),
    }),
  }),
);
