// What a person may want, and how sure we are of it. The ids are the contract's.

export const INTENTS = [
  'GENERAL_CHAT',
  'KNOWLEDGE_SEARCH',
  'CODE_GENERATION',
  'CODE_REVIEW',
  'RESEARCH',
  'COMPLEX_PLANNING',
  'VERSION_CONTROL',
  'FILE_OPERATION',
  'TOOL_CREATION',
  'E2E_TESTING',
  'DOCUMENTATION',
  'RELEASE_PROJECT',
  'START_CAMPAIGN',
  'STATUS_REPORT',
  'INFRA_STATUS',
  'HELP_REQUEST',
  'TIME_REQUEST',
  'UNSUPPORTED_TASK',
] as const;

export type IntentId = (typeof INTENTS)[number];

/** The languages the product speaks itself. */
export type Language = 'en' | 'pl' | 'de';

export interface IntentDecision {
  intent: IntentId;
  source: 'forced' | 'lexicon' | 'keyword' | 'embedding' | 'llm' | 'fallback';
  /** Null where nothing tells. */
  language: Language | null;
  /** 0..1 */
  score: number;
  /** Best two candidates, best first. */
  top2: readonly { intent: IntentId; score: number }[];
}

export interface IntentRecognizer {
  /** Never throws for a text: what nothing recognises is GENERAL_CHAT by `fallback`. */
  classify(text: string, options: { signal: AbortSignal }): Promise<IntentDecision>;
  /** By the words alone; asks nobody, and is null where they do not tell. */
  language(text: string): Promise<Language | null>;
}
