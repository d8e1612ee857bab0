// Whose things a request is about. A user's key names its sessions as it likes; here they become names that nobody else can
// have, on the way in by the field `session_id` wherever it stands, and on the way out they become the user's again. So a
// route cannot forget it, and the session of another cannot be named at all.
import type { FastifyInstance } from 'fastify';
import { AppError } from '../shared/errors.js';
import { nameFor, type Owner, ownName } from '../shared/owner.js';

export function installOwnership(app: FastifyInstance): void {
  app.addHook('preHandler', ({ owner, params, query, body }, _reply, done) => {
    if (owner !== null) for (const part of [params, query, body]) nameSessionOf(owner, part);
    done();
  });
  app.addHook('preSerialization', async ({ owner }, _reply, payload) => shownTo(owner, payload));
}

/** @throws AppError `invalid_input` for a name that says whose it is: a user has none but their own */
export function ownSessionId(owner: Owner, sessionId: string): string {
  if (owner !== null && sessionId.includes('~'))
    throw new AppError(
      'invalid_input',
      'session_id: a `~` stands between a user and their name for a session, so it is in no such name.',
    );
  return ownName(owner, sessionId);
}

function nameSessionOf(owner: Owner, part: unknown): void {
  if (typeof part !== 'object' || part === null || !('session_id' in part)) return;
  if (typeof part.session_id === 'string' && part.session_id !== '')
    part.session_id = ownSessionId(owner, part.session_id);
}

/** The value with the viewer's own names as they chose them, in messages and steps of traces, too. */
export function shownTo<T>(viewer: Owner, value: T): T {
  return viewer === null ? value : (shown(viewer, value) as T);
}

function shown(viewer: string, value: unknown): unknown {
  if (typeof value === 'string') return value.includes(viewer) ? value.replaceAll(ownName(viewer, ''), '') : value;
  if (Array.isArray(value)) return value.map((each) => shown(viewer, each));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shown(viewer, each)]));
}

/** For a header. */
export const sessionIdFor = (viewer: Owner, sessionId: string | null): string => nameFor(viewer, sessionId ?? '');
