// What is sensitive in texts that come into a session by other ways than a question: its kinds stick to the session.
import type { SessionLabelling } from '../chat/ports.js';
import type { SensitivityRules, SessionLabels } from './ports.js';
import { type Finding, findSensitive, findSensitiveInTurns, isReadInOneGo, kindsOf } from './sensitivity.js';

/** What is in answers and imported texts sticks to the session too; bare words of an answer are everyday words. */
export function sessionLabelling({ localOnly, options }: SensitivityRules, labels: SessionLabels): SessionLabelling {
  return {
    label(sessionId, text, role) {
      if (!localOnly) return [];
      const rules = { ...options, shapesOnly: role !== 'user' };
      const kept = (found: readonly Finding[]) => {
        const kinds = kindsOf(found);
        if (kinds.length > 0) labels.add(sessionId, kinds);
        return kinds;
      };
      // At once where it can be, so that what is stored next is stored in the same turn of the event loop.
      return isReadInOneGo(text) ? kept(findSensitive(text, rules)) : findSensitiveInTurns(text, rules).then(kept);
    },
  };
}
