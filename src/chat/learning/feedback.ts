// What people say of an answer: kept, and used. A thumbs-up approves the pair, a thumbs-down takes it back, leaves a lesson
// and asks for a better answer.
import type { Clock } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { promptHash } from './hidden-prompts.js';
import type { Lessons } from './lessons.js';
import type { FeedbackEntry, FollowUpTasks, JudgedTurn, JudgedTurns, LearningRepository, Rating } from './ports.js';

const TEXT_CHARS = 16_000;
const COMMENT_CHARS = 4_000;

export interface FeedbackParts {
  repository: LearningRepository;
  lessons: Lessons;
  turns: JudgedTurns;
  followUps: FollowUpTasks;
  clock: Clock;
  /** `ENABLE_META_LEARNING` */
  learns: boolean;
  onFollowUpFailed?: (error: unknown) => void;
  onLesson?: (taskId: string, lessonId: string) => void;
}

export class Feedback {
  readonly #parts: FeedbackParts;

  constructor(parts: FeedbackParts) {
    this.#parts = parts;
  }

  /**
   * Kept when it resolves; a follow-up that cannot be submitted does not undo that.
   * @throws AppError `invalid_input` for another rating or a `down` without words, `request_not_found`
   */
  async submit(given: {
    taskId: string;
    rating: string;
    comment: string | null;
    viewer: Owner;
  }): Promise<{ rating: Rating; followUpTaskId: string | null }> {
    const { repository, turns, clock, learns } = this.#parts;
    const rating = toRating(given.rating);
    const comment = given.comment?.trim().slice(0, COMMENT_CHARS) || null;
    if (rating === 'down' && comment === null)
      throw new AppError('invalid_input', 'A thumbs-down needs a comment that says what was wrong.');
    const turn = turns.find(given.taskId, given.viewer);
    if (!turn) throw new AppError('request_not_found', `There is no task or answer ${given.taskId}.`);
    const at = clock.now();
    await repository.saveFeedback(
      {
        taskId: turn.taskId,
        owner: turn.owner,
        at,
        rating,
        comment,
        prompt: turn.prompt.slice(0, TEXT_CHARS),
        result: turn.result.slice(0, TEXT_CHARS),
        intent: turn.intent,
        toolRequired: turn.toolRequired,
      },
      turn.sessionId,
    );
    if (rating === 'up') {
      if (learns) await this.#approve(turn, at);
      return { rating, followUpTaskId: null };
    }
    await repository.revoke(turn.taskId, at);
    if (learns) await this.#learn(turn, comment as string);
    return { rating, followUpTaskId: await this.#followUp(turn, comment as string) };
  }

  logs(page: { limit: number; rating?: string | undefined; viewer: Owner }): FeedbackEntry[] {
    const rating = page.rating === undefined ? undefined : toRating(page.rating);
    return this.#parts.repository.feedback({ limit: page.limit, rating, viewer: page.viewer });
  }

  async #approve(turn: JudgedTurn, at: number): Promise<void> {
    if (turn.prompt === '' || turn.result === '') return;
    const intent = turn.intent ?? 'GENERAL_CHAT';
    const prompt = turn.prompt.slice(0, TEXT_CHARS);
    await this.#parts.repository.approve({
      taskId: turn.taskId,
      owner: turn.owner,
      intent,
      prompt,
      promptHash: promptHash(intent, prompt),
      approvedResponse: turn.result.slice(0, TEXT_CHARS),
      labels: turn.labels,
      sessionId: turn.sessionId,
      at,
    });
  }

  async #learn(turn: JudgedTurn, comment: string): Promise<void> {
    const lessonId = await this.#parts.lessons.add({
      situation: turn.prompt,
      result: 'The answer was not what the person wanted.',
      conclusion: comment,
      tags: [...(turn.intent === null ? [] : [turn.intent]), 'feedback'],
      taskId: turn.taskId,
      sessionId: turn.sessionId,
      owner: turn.owner,
      labels: turn.labels,
    });
    if (lessonId !== null) this.#parts.onLesson?.(turn.taskId, lessonId);
  }

  async #followUp(turn: JudgedTurn, comment: string): Promise<string | null> {
    const { followUps, onFollowUpFailed } = this.#parts;
    if (turn.prompt === '') return null;
    try {
      return await followUps.submit(turn, comment);
    } catch (error) {
      onFollowUpFailed?.(error);
      return null;
    }
  }
}

function toRating(text: string): Rating {
  if (text === 'up' || text === 'down') return text;
  throw new AppError('invalid_input', 'rating must be up or down.');
}
