// How much is looked up for an intent. Pure.
import type { IntentId } from '../intent.js';

export interface RetrievalLimits {
  /** Memory entries that are looked at. */
  memory: number;
  lessons: number;
}

export interface RetrievalSettings {
  /** `ENABLE_RAG_RETRIEVAL_BOOST`; without it every intent gets the default. */
  boost: boolean;
  default: RetrievalLimits;
  research: RetrievalLimits;
  knowledge: RetrievalLimits;
  complex: RetrievalLimits;
}

const BASELINE: RetrievalLimits = { memory: 5, lessons: 3 };

export function retrievalLimits(intent: IntentId, settings: RetrievalSettings): RetrievalLimits {
  if (!settings.boost) return BASELINE;
  if (intent === 'RESEARCH') return settings.research;
  if (intent === 'KNOWLEDGE_SEARCH') return settings.knowledge;
  if (intent === 'COMPLEX_PLANNING') return settings.complex;
  return settings.default;
}
