// Which turns are written into the learning log, and how. Pure but for the write.
import type { IntentId } from '../intent.js';
import type { FinishedTurn } from '../turn-ports.js';
import type { LearningLogEntry, LearningRepository } from './ports.js';

const TEXT_CHARS = 1_200;
/** Answered from a template: nothing is learnt from them. */
const STATIC: ReadonlySet<IntentId> = new Set([
  'TIME_REQUEST',
  'INFRA_STATUS',
  'STATUS_REPORT',
  'HELP_REQUEST',
  'UNSUPPORTED_TASK',
]);

/** Null for turns that teach nothing. */
export function learningEntry(turn: FinishedTurn): LearningLogEntry | null {
  if (!turn.storeKnowledge || turn.toolRequired || turn.mode === 'direct') return null;
  if (turn.intent !== null && STATIC.has(turn.intent)) return null;
  return {
    taskId: turn.requestId,
    at: turn.finishedAt,
    intent: turn.intent,
    toolRequired: false,
    success: turn.success,
    need: turn.prompt.slice(0, TEXT_CHARS),
    outcome: turn.answer.slice(0, TEXT_CHARS),
    error: turn.error?.slice(0, TEXT_CHARS) ?? null,
    fastPathHint: '',
    tags: [...(turn.intent === null ? [] : [turn.intent]), 'llm_only', turn.success ? 'success' : 'failure'],
  };
}

/** Whether there was something to log. */
export async function logTurn(repository: LearningRepository, turn: FinishedTurn): Promise<boolean> {
  const entry = learningEntry(turn);
  if (entry === null) return false;
  await repository.saveLog(entry, turn.sessionId);
  return true;
}
