// The steps that follow a turn, in order. Each may run twice without harm.
import { logTurn } from '../learning/learning-log.js';
import type { LearningRepository } from '../learning/ports.js';
import type { Memory } from '../memory/memory.js';
import type { ModelTitle } from './model-title.js';
import type { ResultStep } from './ports.js';
import { rememberTurn } from './remembered-turn.js';
import type { RunningSummary } from './running-summary.js';
import { sessionTitle } from './session-title.js';

export interface ResultStepParts {
  memory: Memory;
  learning: LearningRepository;
  summary: RunningSummary;
  /** Null where titles are made of the first question only. */
  modelTitle: ModelTitle | null;
  /** Of all that was said in a session: they stick to what is made of it. */
  sessionLabels: (sessionId: string) => readonly string[];
  suggestTitle: (sessionId: string, title: string) => Promise<void>;
  /** `ENABLE_META_LEARNING` */
  learns: boolean;
  /** A turn came into the learning log. */
  onLogged: () => void;
}

export function resultSteps({
  memory,
  learning,
  summary,
  modelTitle,
  sessionLabels,
  suggestTitle,
  learns,
  onLogged,
}: ResultStepParts): ResultStep[] {
  return [
    {
      name: 'title',
      lane: 'light',
      run: async ({ sessionId, prompt }) => {
        const title = sessionTitle(prompt);
        if (sessionId !== null && title !== null) await suggestTitle(sessionId, title);
      },
    },
    {
      name: 'learning_log',
      lane: 'light',
      run: async (turn) => {
        if (learns && (await logTurn(learning, turn))) onLogged();
      },
    },
    // Vectors follow by themselves: the embedding backlog sees what has none.
    {
      name: 'memory',
      lane: 'light',
      run: (turn) => {
        const further = turn.sessionId === null ? [] : sessionLabels(turn.sessionId);
        return rememberTurn(memory, { ...turn, labels: [...new Set([...turn.labels, ...further])] });
      },
    },
    {
      name: 'model_title',
      lane: 'heavy',
      run: async ({ sessionId, success, ...turn }, signal) => {
        if (sessionId !== null && success) await modelTitle?.name(sessionId, turn, signal);
      },
    },
    {
      name: 'summary',
      lane: 'heavy',
      run: async ({ sessionId }, signal) => {
        if (sessionId !== null) await summary.update(sessionId, signal);
      },
    },
  ];
}
