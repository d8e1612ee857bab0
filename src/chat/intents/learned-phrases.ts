// Phrases people used that the lexicons do not know. They are proposed, and count only after somebody has approved them.
import { AppError } from '../../shared/errors.js';
import type { IntentDecision, IntentId } from '../intent.js';
import type { LearnedPhrase, LearnedPhraseRepository, LearnedPhraseState } from './ports.js';
import { type Token, tokensOf } from './tokens.js';

const PROPOSALS_KEPT = 500;
const APPROVED_AT_MOST = 1_000;
const FEWEST_WORDS = 2;
const MOST_WORDS = 8;
const LONGEST_CHARS = 80;
/** What may be somebody's: addresses, numbers, links, names of files. */
const PRIVATE = /https?:|www\.|@|\d{4,}/i;

export interface LearnedPhrasesOptions {
  repository: LearnedPhraseRepository;
  now: () => number;
  newId: () => string;
  /** False where ENABLE_META_LEARNING is off: what was approved counts, nothing new is recorded. */
  recording: boolean;
  onFailure?: ((error: unknown) => void) | undefined;
}

export class LearnedPhrases {
  readonly #options: LearnedPhrasesOptions;
  readonly #listeners = new Set<() => void>();
  #byKey: ReadonlyMap<string, LearnedPhrase> | undefined;

  constructor(options: LearnedPhrasesOptions) {
    this.#options = options;
  }

  intentOf(tokens: readonly Token[]): IntentId | undefined {
    const known = this.#approvedByKey();
    if (known.size === 0 || tokens.length > MOST_WORDS) return undefined;
    return known.get(keyOf(tokens))?.intent;
  }

  approved(): readonly LearnedPhrase[] {
    return [...this.#approvedByKey().values()];
  }

  /** Called when what is approved has changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Recorded in the background; a text that may hold something private is not. */
  propose(text: string, { intent, language, source }: IntentDecision): void {
    if (!this.#options.recording || language === null) return;
    if (source !== 'llm' && source !== 'embedding') return;
    const phrase = text.trim();
    const tokens = tokensOf(phrase);
    if (phrase.length > LONGEST_CHARS || PRIVATE.test(phrase)) return;
    if (tokens.length < FEWEST_WORDS || tokens.length > MOST_WORDS || tokens.some(({ tag }) => tag !== null)) return;
    const { repository, now, newId } = this.#options;
    repository
      .propose({ id: newId(), phrase, key: keyOf(tokens), intent, language, source, createdAt: now() }, PROPOSALS_KEPT)
      .catch((error) => this.#options.onFailure?.(error));
  }

  list(page: { state?: LearnedPhraseState | undefined; limit: number; offset: number }) {
    return this.#options.repository.list(page);
  }

  /** `intent` corrects what was proposed. @throws AppError `not_found`, `conflict` when there are too many already */
  async approve(id: string, intent?: IntentId): Promise<LearnedPhrase> {
    const phrase = this.#options.repository.get(id);
    if (phrase?.state !== 'approved' && this.#approvedByKey().size >= APPROVED_AT_MOST)
      throw new AppError('conflict', `There are ${APPROVED_AT_MOST} approved phrases already; delete some first.`);
    return this.#review(id, { state: 'approved', intent, at: this.#options.now() });
  }

  /** Kept, so that it is not proposed again. @throws AppError `not_found` */
  reject(id: string): Promise<LearnedPhrase> {
    return this.#review(id, { state: 'rejected', at: this.#options.now() });
  }

  /** @throws AppError `not_found` */
  async remove(id: string): Promise<void> {
    if (!(await this.#options.repository.remove(id))) throw unknown(id);
    this.#changed();
  }

  async #review(id: string, change: Parameters<LearnedPhraseRepository['review']>[1]): Promise<LearnedPhrase> {
    const reviewed = await this.#options.repository.review(id, change);
    if (!reviewed) throw unknown(id);
    this.#changed();
    return reviewed;
  }

  #changed(): void {
    this.#byKey = undefined;
    for (const listener of this.#listeners) listener();
  }

  #approvedByKey(): ReadonlyMap<string, LearnedPhrase> {
    this.#byKey ??= new Map(
      this.#options.repository.approved(APPROVED_AT_MOST).map((phrase) => [phrase.key, phrase] as const),
    );
    return this.#byKey;
  }
}

const keyOf = (tokens: readonly Token[]): string => tokens.map(({ word }) => word).join(' ');
const unknown = (id: string) => new AppError('not_found', `There is no learned phrase ${id}.`);
