// Learned phrases: proposed by what models said, used only after somebody approved them.
import { z } from 'zod';
import { INTENTS } from '../chat/intent.js';
import { whole } from './lax-values.js';
import { Uuid } from './uuid.js';

export const LearnedPhraseParams = z.object({ phrase_id: Uuid });
export const LearnedPhraseQuery = z.object({
  state: z.enum(['proposed', 'approved', 'rejected']).optional(),
  limit: whole(z.int().min(1).max(200)).prefault(50),
  offset: whole(z.int().min(0).max(100_000)).prefault(0),
});
/** `intent` corrects the proposal. */
export const ApproveRequest = z.object({ intent: z.enum(INTENTS).optional() }).nullish();
export const LearnedPhraseItem = z.object({
  id: z.string(),
  phrase: z.string(),
  intent: z.enum(INTENTS),
  language: z.enum(['en', 'pl', 'de']),
  source: z.enum(['embedding', 'llm']),
  state: z.enum(['proposed', 'approved', 'rejected']),
  seen: z.int(),
  created_at: z.string(),
  reviewed_at: z.string().nullable(),
});
export const LearnedPhraseAnswer = z.object({ status: z.literal('success'), phrase: LearnedPhraseItem });
export const LearnedPhraseList = z.object({
  status: z.literal('success'),
  phrases: z.array(LearnedPhraseItem),
  count: z.int(),
  total: z.int(),
});
