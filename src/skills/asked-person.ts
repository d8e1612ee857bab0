// The person a call works for, as its tool may turn to them: for answers, for leave to ask the model, for the folder of their
// files. The time they take is not the call's.
import type { WaitingCall } from '../chat/task-ports.js';
import { AppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import type { PausableDeadline } from './pausable-deadline.js';
import type { AskablePerson, ToolCall, ToolDescriptor } from './ports.js';
import type { ToolQuestion } from './question-ports.js';
import type { Questions } from './questions.js';
import type { ModelForTools } from './skill-ports.js';

const SAMPLES_MAX = 5;

export interface AskedPersonParts {
  questions: Questions;
  model: ModelForTools;
  workspaceOf: (owner: Owner) => string;
  /** For all answers of a call together. */
  waitMs: number;
}

export interface AskedPersonOptions {
  tool: ToolDescriptor;
  call: ToolCall;
  deadline: PausableDeadline;
  callEnds: AbortSignal;
  onWaiting: (waiting: WaitingCall, state: 'waits' | 'over') => void;
}

/** Undefined for a call by hand: only a turn has somebody who sees what is asked. */
export function askedPerson(
  { questions, model, workspaceOf, waitMs }: AskedPersonParts,
  { tool, call, deadline, callEnds, onWaiting }: AskedPersonOptions,
): AskablePerson | undefined {
  const { requestId, sessionId, owner, labels } = call;
  if (requestId === null) return undefined;
  let leftMs = waitMs;
  let samples = 0;
  const uncounted = async <R>(work: () => Promise<R>): Promise<R> => {
    deadline.pause();
    try {
      return await work();
    } finally {
      deadline.resume();
    }
  };
  const ask = async (question: ToolQuestion, signal: AbortSignal) => {
    if (leftMs <= 0) return { action: 'cancel' } as const;
    const startedAt = performance.now();
    try {
      return await uncounted(() =>
        questions.ask(tool, { ...call, requestId }, question, {
          waitMs: leftMs,
          signal: AbortSignal.any([callEnds, signal]),
          onWaiting: ({ id, title }, state) =>
            onWaiting({ kind: 'question', id, tool: tool.name, title, reason: 'asked' }, state),
        }),
      );
    } finally {
      leftMs -= performance.now() - startedAt;
    }
  };
  return {
    waitMs,
    folder: workspaceOf(owner),
    ask,
    sample: async (request, signal) => {
      samples += 1;
      if (samples > SAMPLES_MAX)
        throw new AppError('queue_full', `${tool.name} wanted to ask the model more than ${SAMPLES_MAX} times.`);
      const { prompt, system, maxTokens } = request;
      const { action } = await ask({ kind: 'model', message: prompt, system, maxTokens }, signal);
      if (action !== 'accept') return null;
      return uncounted(() =>
        model.complete({ ...request, sessionId, labels, signal: AbortSignal.any([callEnds, signal]) }),
      );
    },
  };
}
