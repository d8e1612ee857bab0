// The queue of the schedule, as one line per model: who waited too long, then people, then work nobody watches; each by age.
import type { QueuedRequest, ScheduleFacts } from './schedule-facts.js';

export interface RequestLine {
  model: string;
  overdue: QueuedRequest[];
  interactive: QueuedRequest[];
  background: QueuedRequest[];
  /** Of those above, how many have neither begun nor been refused. */
  waiting: number;
}

/** The rank of a line whose first request has waited too long. */
export const OVERDUE = 0;

/** @returns `nextOverdueAt`: when the next request will have waited too long; infinite for never */
export function linesOf({ now, queue, limits }: Pick<ScheduleFacts, 'now' | 'queue' | 'limits'>): {
  lines: Map<string, RequestLine>;
  gone: QueuedRequest[];
  nextOverdueAt: number;
} {
  const lines = new Map<string, RequestLine>();
  const gone: QueuedRequest[] = [];
  let nextOverdueAt = Number.POSITIVE_INFINITY;
  for (const request of queue) {
    if (request.gone) {
      gone.push(request);
      continue;
    }
    let line = lines.get(request.model);
    if (!line) {
      line = { model: request.model, overdue: [], interactive: [], background: [], waiting: 0 };
      lines.set(request.model, line);
    }
    const overdueAt = request.since + limits.patienceMs[request.serviceClass];
    if (overdueAt <= now) line.overdue.push(request);
    else {
      line[request.serviceClass].push(request);
      nextOverdueAt = Math.min(nextOverdueAt, overdueAt);
    }
    line.waiting += 1;
  }
  return { lines, gone, nextOverdueAt };
}

export const inOrder = ({ overdue, interactive, background }: RequestLine): QueuedRequest[] =>
  overdue.length === 0 && background.length === 0 ? interactive : [...overdue, ...interactive, ...background];

export const first = ({ overdue, interactive, background }: RequestLine): QueuedRequest | undefined =>
  overdue[0] ?? interactive[0] ?? background[0];

/** The lower, the sooner. */
export const rankIn = ({ overdue, interactive }: RequestLine): number =>
  overdue.length > 0 ? OVERDUE : interactive.length > 0 ? 1 : 2;

export const older = (a: QueuedRequest, b: QueuedRequest): boolean =>
  a.since < b.since || (a.since === b.since && a.id < b.id);
