// Names a client may complete while somebody types. The protocol allows a hundred.
import type { SessionStore } from '../../chat/sessions/session-store.js';
import type { ModelManager } from '../../models/model-manager.js';
import { nameFor, type Owner } from '../../shared/owner.js';

const MAX_VALUES = 100;
const LOOKED_AT = 200;

/** By the start of the id, or by what its title says. */
export function sessionIds(sessions: SessionStore, owner: Owner, typed: string): string[] {
  const wanted = typed.toLowerCase();
  return sessions
    .list({ limit: LOOKED_AT, offset: 0, query: '', viewer: owner })
    .sessions.map(({ sessionId, title }) => ({ sessionId: nameFor(owner, sessionId), title }))
    .filter(
      ({ sessionId, title }) => sessionId.toLowerCase().startsWith(wanted) || title.toLowerCase().includes(wanted),
    )
    .map(({ sessionId }) => sessionId)
    .slice(0, MAX_VALUES);
}

export async function modelNames(models: ModelManager, typed: string): Promise<string[]> {
  const wanted = typed.toLowerCase();
  const names = (await models.list()).models.map(({ name }) => name);
  return [...new Set(names)].filter((name) => name.toLowerCase().includes(wanted)).slice(0, MAX_VALUES);
}
