// What this server works on: goals, tasks and the queue. What other sessions said is counted and never told.
import { z } from 'zod';
import { BaseSkill, type SkillContext, skillFunction } from '../base-skill.js';

export interface WorkFacts {
  goals: {
    counts: Readonly<Record<string, number>>;
    /** Of the session that asks. */
    here: readonly { text: string; status: string; labels: readonly string[] }[];
  };
  tasks: { counts: Readonly<Record<string, number>>; here: readonly { content: string; status: string }[] };
  queue: { paused: boolean; pending: number; active: number; limit: number | null };
}

type Asking = Pick<SkillContext, 'owner' | 'sessionId' | 'requestId'>;

export class WorkSkill extends BaseSkill {
  readonly id = 'work';
  readonly description = 'Goals, tasks and the queue of this server.';
  readonly #facts: (asking: Asking) => WorkFacts;

  constructor(facts: (asking: Asking) => WorkFacts) {
    super();
    this.#facts = facts;
  }

  readonly functions = [
    skillFunction({
      name: 'report',
      description: 'Status report: goals, tasks and queue of this server, and those of this conversation by name.',
      input: z.object({}),
      readOnly: true,
      run: async (_input, asking) => {
        const { goals, tasks, queue } = this.#facts(asking);
        const labels = [...new Set(goals.here.flatMap((goal) => goal.labels))];
        const structured = {
          goals: { counts: goals.counts, here: goals.here.map(({ text, status }) => ({ text, status })) },
          tasks,
          queue,
        };
        return { text: JSON.stringify(structured, null, 1), structured, labels };
      },
    }),
  ];
}
