// A text somebody hands over, as memory: whose it is and whose words it counts as. Pure.
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { NewMemory } from './memory.js';
import { everySession, type MemoryKind, type MemoryScope } from './ports.js';

export interface IngestedText {
  text: string;
  /** Who hands it over. */
  owner: Owner;
  category: string;
  collection: string;
  sessionId: string | null;
  userId: string | null;
  pinned: boolean;
  type: string;
  /** `session`, `global`, or null for what follows from the session's id. */
  scope: string | null;
  topic: string | null;
  labels: readonly string[];
}

const KINDS: readonly MemoryKind[] = ['fact', 'summary', 'knowledge'];

/**
 * Clients of old hand every answer over as a pinned fact. It is kept, but as what it is: a model's words, in its session,
 * never pinned. @throws AppError `invalid_input`
 */
export function toIngest(given: IngestedText): NewMemory {
  const fromModel = given.category.toLowerCase() === 'assistant';
  return {
    text: given.text,
    scope: scopeOf(given, fromModel),
    kind: KINDS.find((kind) => kind === given.type.toLowerCase()) ?? 'fact',
    origin: fromModel ? 'assistant' : 'user',
    source: 'api',
    labels: given.labels,
    pinned: given.pinned && !fromModel,
    collection: given.collection,
    category: given.category,
    topic: given.topic,
    userId: given.userId,
  };
}

function scopeOf({ owner, scope, sessionId }: IngestedText, fromModel: boolean): MemoryScope {
  const wanted = scope?.toLowerCase();
  if (sessionId !== null && (wanted !== 'global' || fromModel)) return { kind: 'session', sessionId };
  if (wanted === 'session') throw new AppError('invalid_input', 'A text for a session needs its session_id.');
  return everySession(owner);
}
