// A campaign: goals one after the other, each on disk before and after it is worked on, until all are done or a bound is met.
// How a goal is worked on is the caller's; here is the order, what is kept, and why it ends.
import type { Goal, GoalRepository } from './goal.js';

export interface CampaignBounds {
  goals: number;
  /** Read and written by all goals together. */
  tokens: number;
  costUsd: number;
  /** Of work; a pause does not count. */
  durationMs: number;
}

export interface CampaignSpending {
  tokens: number;
  costUsd: number;
  elapsedMs: number;
}

export type CampaignStop = 'done' | 'tokens' | 'cost' | 'time';

export interface CampaignParts {
  goals: readonly Goal[];
  repository: Pick<GoalRepository, 'update'>;
  bounds: CampaignBounds;
  spent: () => CampaignSpending;
  now: () => number;
  /** Resolves when work may go on; called before each goal. @throws when the campaign is stopped */
  mayGoOn: () => Promise<void>;
  /** @throws when the goal is not reached */
  work: (goal: Goal, earlier: readonly Goal[]) => Promise<{ text: string; labels: readonly string[] }>;
  /** A failure that ends the whole campaign, such as a stop. */
  isFinal: (error: unknown) => boolean;
  describe: (error: unknown) => { code: string; message: string };
  onStart: (goal: Goal) => void;
  onEnd: (goal: Goal) => void;
}

/**
 * Works on what is not reached yet. A goal that was cut off is worked on again from its beginning; one that failed is not
 * tried again by itself, because its tools may have changed something.
 * @returns all goals as they stand at the end
 * @throws what is final; the goal it met waits again
 */
export async function runCampaign(parts: CampaignParts): Promise<{ goals: Goal[]; stopped: CampaignStop }> {
  const { repository, bounds, spent, now } = parts;
  const goals = [...parts.goals];
  const givenUp = new Set<string>();
  const standing = () => goals.filter(({ id }) => !givenUp.has(id));
  for (const [index, goal] of goals.entries()) {
    if (goal.status === 'COMPLETED' || goal.status === 'FAILED') continue;
    await parts.mayGoOn();
    const stopped = boundMet(bounds, spent());
    if (stopped) return { goals: standing(), stopped };
    const running: Goal = { ...goal, status: 'IN_PROGRESS', error: null, updatedAt: now() };
    if (!(await repository.update(running))) {
      givenUp.add(goal.id);
      continue;
    }
    goals[index] = running;
    parts.onStart(running);
    let ended: Goal;
    try {
      const { text, labels } = await parts.work(running, goals.slice(0, index));
      ended = {
        ...running,
        status: 'COMPLETED',
        result: text,
        labels: [...new Set([...running.labels, ...labels])],
        updatedAt: now(),
      };
    } catch (error) {
      if (parts.isFinal(error)) {
        // Whoever goes on with it later finds it waiting; a disk that refuses must not hide why it ended.
        await repository.update({ ...running, status: 'PENDING', updatedAt: now() }).catch(() => false);
        throw error;
      }
      ended = { ...running, status: 'FAILED', error: parts.describe(error), updatedAt: now() };
    }
    goals[index] = ended;
    await repository.update(ended);
    parts.onEnd(ended);
  }
  return { goals: standing(), stopped: 'done' };
}

function boundMet(bounds: CampaignBounds, { tokens, costUsd, elapsedMs }: CampaignSpending): CampaignStop | null {
  if (tokens >= bounds.tokens) return 'tokens';
  if (costUsd >= bounds.costUsd) return 'cost';
  return elapsedMs >= bounds.durationMs ? 'time' : null;
}
