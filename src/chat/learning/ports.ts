// What is learnt from turns and from what people say of them. No I/O in this file.
import type { Owner } from '../../shared/owner.js';
import type { IntentId } from '../intent.js';

export type Rating = 'up' | 'down';

export interface FeedbackEntry {
  taskId: string;
  /** Whose turn it is about. */
  owner: Owner;
  at: number;
  rating: Rating;
  comment: string | null;
  prompt: string;
  result: string;
  intent: IntentId | null;
  toolRequired: boolean;
}

export interface LearningLogEntry {
  taskId: string;
  at: number;
  intent: IntentId | null;
  toolRequired: boolean;
  success: boolean;
  need: string;
  outcome: string;
  error: string | null;
  fastPathHint: string;
  tags: readonly string[];
}

/** A question and the answer a person approved for it. */
export interface HiddenPrompt {
  intent: string;
  prompt: string;
  approvedResponse: string;
  /** SHA-256 of `intent:prompt`, hex. */
  promptHash: string;
  /** How often it was approved. */
  score: number;
  lastAt: number;
  labels: readonly string[];
}

export interface ApprovedPair {
  taskId: string;
  /** It serves the turns of nobody else. */
  owner: Owner;
  intent: string;
  prompt: string;
  promptHash: string;
  approvedResponse: string;
  /** A pair with labels is used in its own session only. */
  labels: readonly string[];
  sessionId: string | null;
  at: number;
}

export interface ActiveHiddenPrompt {
  intent: string;
  prompt: string;
  approvedResponse: string;
  promptHash: string;
  updatedAt: number;
  activatedBy: string;
  activatedAt: number;
}

export interface LearningRepository {
  saveFeedback(entry: FeedbackEntry, sessionId: string | null): Promise<void>;
  /** Newest first. */
  feedback(page: { limit: number; rating?: Rating | undefined; viewer?: Owner | undefined }): FeedbackEntry[];
  feedbackCounts(): { up: number; down: number };
  /** The newest word on each of these tasks or answers that has one. */
  latestFeedback(taskIds: readonly string[]): Map<string, FeedbackEntry>;
  /** Once per task. */
  saveLog(entry: LearningLogEntry, sessionId: string | null): Promise<void>;
  logs(page: {
    limit: number;
    intent?: string | undefined;
    success?: boolean | undefined;
    tag?: string | undefined;
  }): LearningLogEntry[];
  approve(pair: ApprovedPair): Promise<void>;
  /** What a person takes back is no longer used. */
  revoke(taskId: string, at: number): Promise<void>;
  /**
   * Approved pairs, equal ones counted together with the newest answer, newest first, then by score. Those of one owner,
   * labelled ones only where `sessionId` is theirs; `undefined` = every pair, for a person who looks through them.
   */
  hiddenPrompts(page: {
    limit: number;
    intent?: string | undefined;
    minScore: number;
    of?: { owner: Owner; sessionId: string | null } | undefined;
  }): HiddenPrompt[];
  hiddenPrompt(promptHash: string): HiddenPrompt | undefined;
  active(intent?: string): ActiveHiddenPrompt[];
  /** One per intent; the former one is replaced. */
  activate(prompt: ActiveHiddenPrompt): Promise<void>;
  deactivate(intent: string | undefined, promptHash: string | undefined): Promise<void>;
  /** Its log, its feedback and its labelled pairs; what was approved without a label is for everybody and stays. */
  forgetSession(sessionId: string): Promise<void>;
}

/** A turn somebody has an opinion of. */
export interface JudgedTurn {
  taskId: string;
  prompt: string;
  result: string;
  intent: IntentId | null;
  toolRequired: boolean;
  sessionId: string | null;
  owner: Owner;
  labels: readonly string[];
}

export interface JudgedTurns {
  /** Tasks and Direct answers alike; of what is not the viewer's nothing is known. */
  find(taskId: string, viewer: Owner): JudgedTurn | undefined;
}

/** Where a better answer is asked for; what runs tasks implements it. */
export interface FollowUpTasks {
  /** The same question again with what was wrong. Returns the new task's id. */
  submit(turn: JudgedTurn, remark: string): Promise<string>;
}
