// Which skills do the work of an intent, and the words by which an imported tool for it is recognised. Data.
import type { IntentId } from '../chat/intent.js';

export interface IntentTools {
  /** Built-in skills that can do it, best first. */
  skills: readonly string[];
  /** What a tool from elsewhere that can do it calls itself. */
  words: string;
}

export const INTENT_TOOLS: Partial<Record<IntentId, IntentTools>> = {
  VERSION_CONTROL: { skills: ['git'], words: 'git repository commit branch diff' },
  FILE_OPERATION: { skills: ['file'], words: 'file directory folder read write' },
  RESEARCH: { skills: ['web', 'memory'], words: 'web search internet fetch url' },
  DOCUMENTATION: { skills: ['docs', 'file'], words: 'documentation docs markdown' },
  E2E_TESTING: { skills: [], words: 'browser page click screenshot navigate' },
  RELEASE_PROJECT: { skills: ['git', 'file'], words: 'release version changelog publish' },
  STATUS_REPORT: { skills: ['work', 'system', 'models', 'git', 'memory'], words: 'status progress report issue' },
  KNOWLEDGE_SEARCH: { skills: ['memory'], words: 'knowledge search document' },
};

/** Without one of these skills or an imported tool, the rest of the list does not do the work. */
export const DOES_THE_WORK: Partial<Record<IntentId, readonly string[]>> = {
  RESEARCH: ['web'],
  DOCUMENTATION: ['docs', 'file'],
  RELEASE_PROJECT: ['git'],
  STATUS_REPORT: ['work', 'system'],
};
