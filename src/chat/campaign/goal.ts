// A goal of a campaign, and where goals are kept. No I/O in this file.
import type { Owner } from '../../shared/owner.js';

export type GoalStatus = 'PENDING' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

export interface Goal {
  id: string;
  /** Id of the task that works on it. */
  campaignId: string;
  sessionId: string | null;
  /** From 1, in the order they are worked on. */
  number: number;
  text: string;
  status: GoalStatus;
  result: string | null;
  error: { code: string; message: string } | null;
  /** Sensitivity of its text and result. */
  labels: readonly string[];
  /** Milliseconds since the epoch, UTC. */
  createdAt: number;
  updatedAt: number;
}

export interface GoalQuery {
  sessionId?: string | undefined;
  status?: GoalStatus | undefined;
  limit: number;
  viewer: Owner;
}

/** Where goals are kept. Everything that returns a promise resolves when it is on disk. */
export interface GoalRepository {
  add(goals: readonly Goal[]): Promise<void>;
  /** Whether it is still there: somebody may have given it up. */
  update(goal: Goal): Promise<boolean>;
  /** Goals of earlier campaigns become this one's, numbered as they come. */
  adopt(ids: readonly string[], campaignId: string): Promise<void>;
  /** In their order. */
  ofCampaign(campaignId: string): Goal[];
  /** Those of a session that were not reached, oldest first; null = of no session. */
  open(sessionId: string | null, limit: number): Goal[];
  /** Newest first; null = of no session. */
  ofSession(sessionId: string | null, limit: number): Goal[];
  /** Newest first, of any session where none is named. */
  list(query: GoalQuery): Goal[];
  /** Takes a goal out that nobody works on; to a viewer that of another is unknown. */
  giveUp(id: string, viewer: Owner): Promise<'removed' | 'running' | 'unknown'>;
  counts(viewer: Owner): Readonly<Record<GoalStatus, number>>;
  /** What a former process worked on waits again. */
  releaseRunning(): void;
}
