// What of a turn is remembered, and as whose words. A model's answer is never a fact and never pinned.
import type { Memory } from '../memory/memory.js';
import type { FinishedTurn } from '../turn-ports.js';

const TEXT_CHARS = 16_000;
/** "Remember that …" in the languages the product speaks. */
const REQUEST =
  /^\s*(?:please\s+)?(?:remember|note|keep in mind|don't forget|zapamiętaj|zapamietaj|pamiętaj|zanotuj|merke? dir|denk daran|vergiss nicht)(?:[\s,]+(?:that|this|że|ze|dass|bitte)(?![\p{L}\p{N}]))*[\s:,]+(?<what>\S[\s\S]{2,})$/iu;

/** What a person explicitly asks to be kept, or null. */
export function askedToRemember(prompt: string): string | null {
  const what = REQUEST.exec(prompt)?.groups?.['what']?.trim();
  // A question such as "remember what I said?" asks for something, it does not tell anything.
  return what && !what.endsWith('?') ? what : null;
}

/** Into the memory of its own session, only of turns of the orchestrated modes that may be kept. */
export async function rememberTurn(memory: Memory, turn: FinishedTurn): Promise<void> {
  const { sessionId, storeKnowledge, success, mode } = turn;
  if (sessionId === null || !storeKnowledge || mode === 'direct') return;
  const shared = {
    scope: { kind: 'session' as const, sessionId },
    source: 'conversation',
    labels: turn.labels,
    requestId: turn.requestId,
    createdAt: turn.finishedAt,
    // What was deleted meanwhile is not brought back.
    onlyWithTurn: true,
  };
  const asked = askedToRemember(turn.prompt);
  if (asked !== null)
    await memory.add({ ...shared, text: asked.slice(0, TEXT_CHARS), kind: 'fact', origin: 'user', pinned: true });
  else if (turn.prompt.trim() !== '')
    await memory.add({ ...shared, text: turn.prompt.slice(0, TEXT_CHARS), kind: 'fact', origin: 'user' });
  if (success && turn.answer.trim() !== '')
    await memory.add({ ...shared, text: turn.answer.slice(0, TEXT_CHARS), kind: 'fact', origin: 'assistant' });
}
