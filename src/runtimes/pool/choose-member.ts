// Which server of a pool answers a request. Pure: facts in, a choice with its reason out.
import type { EngineLoad } from '../runtime.js';

export interface MemberFacts {
  id: string;
  /** Whether it lists the model; null while nobody knows. */
  hasModel: boolean | null;
  excluded: boolean;
  /** Requests of ours. */
  inFlight: number;
  /** Requests of ours so far. */
  served: number;
  /** Of all its clients; null where it does not say. */
  load: EngineLoad | null;
}

export interface ChoiceFacts {
  members: readonly MemberFacts[];
  /** The member that served the session, or the longest known beginning of the prompt. */
  sessionMember: string | undefined;
  prefixMember: string | undefined;
  /** Members this request has failed on. */
  tried: ReadonlySet<string>;
}

export type PoolChoice =
  | { kind: 'member'; id: string; reason: 'session' | 'prefix' | 'least-loaded' | 'last-resort' }
  | { kind: 'none'; reason: 'all-tried' };

/** What a member keeps in its cache is worth this many requests more than the idlest one has. */
export const AFFINITY_WORTH = 4;
/** A cache this full pushes out what affinity hopes to find there. */
const CACHE_FULL = 0.95;

/** Requests it works on, for whomever. */
export const busyness = ({ inFlight, load }: MemberFacts): number =>
  Math.max(inFlight, (load?.running ?? 0) + (load?.waiting ?? 0));

export function chooseMember({ members, sessionMember, prefixMember, tried }: ChoiceFacts): PoolChoice {
  const listed = members.filter(({ hasModel }) => hasModel === true);
  // Some servers answer to names that they do not list; each says so itself where it does not.
  const able = listed.length > 0 ? listed : members;
  const left = able.filter(({ id }) => !tried.has(id));
  if (left.length === 0) return { kind: 'none', reason: 'all-tried' };
  const inService = left.filter(({ excluded }) => !excluded);
  // Better a server that failed a moment ago than none.
  if (inService.length === 0) return { kind: 'member', id: idlest(left).id, reason: 'last-resort' };
  const best = idlest(inService);
  const keeps = (id: string | undefined): boolean => {
    const member = inService.find((candidate) => candidate.id === id);
    if (!member) return false;
    const full = (member.load?.kvCacheUsage ?? 0) >= CACHE_FULL && busyness(member) > busyness(best);
    return !full && busyness(member) - busyness(best) < AFFINITY_WORTH;
  };
  if (sessionMember !== undefined && keeps(sessionMember))
    return { kind: 'member', id: sessionMember, reason: 'session' };
  if (prefixMember !== undefined && keeps(prefixMember)) return { kind: 'member', id: prefixMember, reason: 'prefix' };
  return { kind: 'member', id: best.id, reason: 'least-loaded' };
}

function idlest(members: readonly MemberFacts[]): MemberFacts {
  return members.reduce((best, member) => (before(member, best) ? member : best));
}

function before(a: MemberFacts, b: MemberFacts): boolean {
  const difference =
    busyness(a) - busyness(b) || (a.load?.kvCacheUsage ?? 0) - (b.load?.kvCacheUsage ?? 0) || a.served - b.served;
  return difference < 0;
}
