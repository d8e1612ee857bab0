// What the recognition of intents needs from outside. No I/O and no vendor's words in this file.
import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { IntentId, Language } from '../intent.js';

/** Makes vectors of texts, in input order. @throws where there is no embedding model */
export type PhraseEmbedder = (texts: readonly string[], signal: AbortSignal) => Promise<readonly (readonly number[])[]>;

/** The small model that is asked last; null where none is ready. It must not leave the house for a label. */
export type ClassifierModel = (signal: AbortSignal) => Promise<LanguageModelV4 | null>;

export type LearnedPhraseState = 'proposed' | 'approved' | 'rejected';

export interface LearnedPhrase {
  readonly id: string;
  /** As it was written. */
  readonly phrase: string;
  /** Folded words, by which it is found; unique. */
  readonly key: string;
  readonly intent: IntentId;
  readonly language: Language;
  readonly source: 'embedding' | 'llm';
  readonly state: LearnedPhraseState;
  /** How often it was seen. */
  readonly seen: number;
  /** Milliseconds since the epoch, UTC. */
  readonly createdAt: number;
  readonly reviewedAt: number | null;
}

export interface LearnedPhraseRepository {
  /**
   * A new proposal, or one more sighting of a phrase that is known, whatever its state. Of what is not approved, the oldest
   * beyond `limit` are dropped.
   */
  propose(phrase: Omit<LearnedPhrase, 'state' | 'seen' | 'reviewedAt'>, limit: number): Promise<void>;
  list(page: { state?: LearnedPhraseState | undefined; limit: number; offset: number }): {
    phrases: LearnedPhrase[];
    total: number;
  };
  get(id: string): LearnedPhrase | undefined;
  approved(limit: number): LearnedPhrase[];
  /** On disk when it resolves; undefined when there is none with this id. */
  review(
    id: string,
    change: { state: 'approved' | 'rejected'; intent?: IntentId | undefined; at: number },
  ): Promise<LearnedPhrase | undefined>;
  remove(id: string): Promise<boolean>;
}
