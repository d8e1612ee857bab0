// Hidden prompts: answers a person approved, shown to the model as examples for questions like theirs.
import { createHash } from 'node:crypto';
import type { Clock } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { ActiveHiddenPrompt, HiddenPrompt, LearningRepository } from './ports.js';

const USED = 2;
const LOOKED_AT = 50;
/** Share of the question's words that an approved question must have in common with it. */
const MIN_OVERLAP = 0.3;

export interface HiddenPromptsOptions {
  /** `manual`: only what was activated by hand is used; `auto`: a thumbs-up is approval enough. */
  review: 'auto' | 'manual';
}

export class HiddenPrompts {
  readonly #repository: LearningRepository;
  readonly #clock: Clock;
  readonly #options: HiddenPromptsOptions;

  constructor(repository: LearningRepository, clock: Clock, options: HiddenPromptsOptions) {
    this.#repository = repository;
    this.#clock = clock;
    this.#options = options;
  }

  /** The active one of the intent first, then approved ones that resemble the question; at most two. */
  for(
    intent: string,
    question: string,
    { owner, sessionId }: { owner: Owner; sessionId: string | null },
  ): HiddenPrompt[] {
    const active = this.#repository.active(intent).map(fromActive);
    if (this.#options.review === 'manual') return active.slice(0, USED);
    const approved = this.#repository
      .hiddenPrompts({ limit: LOOKED_AT, intent, minScore: 1, of: { owner, sessionId } })
      .filter(({ promptHash }) => active.every((other) => other.promptHash !== promptHash))
      .map((prompt) => ({ prompt, overlap: overlapOf(question, prompt.prompt) }))
      .filter(({ overlap }) => overlap >= MIN_OVERLAP)
      .sort((a, b) => b.overlap - a.overlap);
    return [...active, ...approved.map(({ prompt }) => prompt)].slice(0, USED);
  }

  list(page: { limit: number; intent?: string | undefined; minScore: number }): HiddenPrompt[] {
    return this.#repository.hiddenPrompts(page);
  }

  active(intent?: string): ActiveHiddenPrompt[] {
    return this.#repository.active(intent);
  }

  /**
   * Chosen by hand: by the hash of an approved pair, or as it is given. @throws AppError `invalid_input` where neither
   * names one
   */
  async setActive(choice: {
    intent?: string | undefined;
    prompt?: string | undefined;
    approvedResponse?: string | undefined;
    promptHash?: string | undefined;
    active: boolean;
    actor: string;
  }): Promise<void> {
    if (!choice.active) {
      if (choice.intent === undefined && choice.promptHash === undefined)
        throw new AppError('invalid_input', 'Name the intent or the prompt_hash that is to be inactive.');
      return this.#repository.deactivate(choice.intent, choice.promptHash);
    }
    const known = choice.promptHash === undefined ? undefined : this.#repository.hiddenPrompt(choice.promptHash);
    if (known && known.labels.length > 0)
      throw new AppError('invalid_input', 'This pair comes from a labelled conversation and stays in it.');
    const intent = choice.intent ?? known?.intent;
    const prompt = choice.prompt ?? known?.prompt;
    const approvedResponse = choice.approvedResponse ?? known?.approvedResponse;
    if (!intent || !prompt || !approvedResponse)
      throw new AppError(
        'invalid_input',
        'Give intent, prompt and approved_response, or the prompt_hash of an approved pair.',
      );
    const now = this.#clock.now();
    await this.#repository.activate({
      intent,
      prompt,
      approvedResponse,
      promptHash: promptHash(intent, prompt),
      updatedAt: now,
      activatedBy: choice.actor,
      activatedAt: now,
    });
  }
}

export const promptHash = (intent: string, prompt: string): string =>
  createHash('sha256').update(`${intent}:${prompt}`).digest('hex');

const fromActive = (active: ActiveHiddenPrompt): HiddenPrompt => ({
  intent: active.intent,
  prompt: active.prompt,
  approvedResponse: active.approvedResponse,
  promptHash: active.promptHash,
  score: 1,
  lastAt: active.activatedAt,
  labels: [],
});

/** Words of four letters and more, by their beginnings, so that inflected forms count as the same. */
function overlapOf(question: string, other: string): number {
  const asked = stems(question);
  if (asked.size === 0) return 0;
  const known = stems(other);
  return [...asked].filter((stem) => known.has(stem)).length / asked.size;
}

const stems = (text: string): Set<string> =>
  new Set(
    (
      text
        .slice(0, 2_000)
        .toLowerCase()
        .match(/[\p{L}\p{N}]{4,}/gu) ?? []
    ).map((word) => word.slice(0, 6)),
  );
