// Whether a call may run, asks first, or not at all: decided from the tool, what somebody allowed before, and what is
// sensitive here. Pure.
import type { Permission, ToolDescriptor } from './ports.js';

export interface PermissionOverride {
  /** A session's id; null is everywhere. */
  sessionId: string | null;
  tool: string;
  permission: Permission;
  /** The definition it was given for; null holds for every definition. */
  hash: string | null;
}

export interface PermissionDecision {
  permission: Permission;
  reason: 'default' | 'session' | 'global' | 'definition_changed' | 'sensitive';
}

export function decidePermission(
  tool: Pick<ToolDescriptor, 'name' | 'permission' | 'hash' | 'egress'>,
  overrides: readonly PermissionOverride[],
  context: { sessionId: string | null; labels: readonly string[] },
): PermissionDecision {
  const mine = overrides.filter(({ tool: name }) => name === tool.name);
  const session =
    context.sessionId === null ? undefined : mine.find(({ sessionId }) => sessionId === context.sessionId);
  const everywhere = mine.find(({ sessionId }) => sessionId === null);
  // A no is a no, wherever it was said.
  if (session?.permission === 'never') return { permission: 'never', reason: 'session' };
  if (everywhere?.permission === 'never') return { permission: 'never', reason: 'global' };
  const chosen = session ?? everywhere;
  if (!chosen) return guarded({ permission: tool.permission, reason: 'default' }, tool, context);
  // Who said yes to one definition has not seen another.
  if (chosen.permission === 'always' && chosen.hash !== null && chosen.hash !== tool.hash)
    return { permission: 'ask', reason: 'definition_changed' };
  const reason = chosen === session ? 'session' : 'global';
  // Said in this session, it was said knowing what the session holds.
  if (reason === 'session') return { permission: chosen.permission, reason };
  return guarded({ permission: chosen.permission, reason }, tool, context);
}

/** What is sensitive leaves the house only when somebody says so in that session. */
function guarded(
  decision: PermissionDecision,
  tool: Pick<ToolDescriptor, 'egress'>,
  { labels }: { labels: readonly string[] },
): PermissionDecision {
  if (decision.permission !== 'always' || !tool.egress || labels.length === 0) return decision;
  return { permission: 'ask', reason: 'sensitive' };
}
