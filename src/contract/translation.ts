// POST /translate and /translate/stream.
import { z } from 'zod';
import { flag } from './lax-values.js';

export const TranslateRequest = z.object({
  text: z.string().max(200_000),
  target_lang: z.string().min(1).max(35).default('pl'),
  source_lang: z.string().max(35).nullish(),
  use_cache: flag().prefault(true),
  /** Ours: languages beside pl, en and de, where the installation trusts its models with them. */
  allow_any: z.boolean().default(false),
});

export const TranslationWarning = z.object({ chunk: z.number(), code: z.string(), message: z.string() });

export const TranslateResponse = z.object({
  success: z.literal(true),
  translated_text: z.string(),
  target_lang: z.string(),
  /** As named or detected. */
  source_lang: z.string().nullable(),
  /** Absent when everything was translated. */
  warnings: z.array(TranslationWarning).optional(),
});
