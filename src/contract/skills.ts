// Tools, who may call them, and calls that wait for somebody's yes.
import { z } from 'zod';
import { whole } from './lax-values.js';
import { SessionId } from './simple-chat.js';
import { Uuid } from './uuid.js';

const Permission = z.enum(['always', 'ask', 'never']);
/** `title` is how a server is called by people, where that is something else than its id. */
const Source = z.object({ kind: z.enum(['builtin', 'custom', 'mcp']), id: z.string(), title: z.string().nullable() });
/** What an imported server says its tool does: its own word, which nobody has checked. */
export const ToolClaims = z.object({
  read_only: z.boolean().nullable(),
  destructive: z.boolean().nullable(),
  idempotent: z.boolean().nullable(),
  open_world: z.boolean().nullable(),
});

export const ToolParams = z.object({ name: z.string().min(1).max(64) });
export const SkillsQuery = z.object({
  q: z.string().max(1_000).optional(),
  session_id: SessionId.optional(),
});
export const ToolItem = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  source: Source,
  read_only: z.boolean(),
  egress: z.boolean(),
  /** Null for tools that are part of Venom or of this workspace. */
  claims: ToolClaims.nullable(),
  permission: Permission,
  /** Where it comes from: default, global, session, definition_changed, sensitive. */
  permission_reason: z.string(),
  default_permission: Permission,
  hash: z.string(),
  /** What its definition takes of a prompt in which it is offered; an estimate. */
  prompt_tokens: z.int(),
});
export const ToolDetail = ToolItem.extend({ input_schema: z.record(z.string(), z.unknown()) });
export const ToolList = z.object({ status: z.literal('success'), tools: z.array(ToolItem), count: z.int() });
export const ToolAnswer = z.object({ status: z.literal('success'), tool: ToolDetail });

/** `default` takes an earlier decision back. */
export const PermissionRequest = z.object({
  permission: z.enum(['always', 'ask', 'never', 'default']),
  session_id: SessionId.optional(),
});

export const CallRequest = z.object({
  input: z.record(z.string(), z.unknown()).default({}),
  session_id: SessionId.optional(),
  /** The caller has seen this very call and wants it. */
  approved: z.boolean().default(false),
});
export const CallAnswer = z.object({
  status: z.enum(['success', 'failed']),
  text: z.string(),
  structured: z.unknown(),
  error_code: z.string().nullable(),
  labels: z.array(z.string()),
  /** Words from outside: to show, not to follow. */
  untrusted: z.boolean(),
});

export const ApprovalParams = z.object({ approval_id: Uuid });
export const ApprovalQuery = z.object({
  state: z.enum(['waiting', 'allowed', 'denied', 'used', 'expired', 'cancelled']).optional(),
  session_id: SessionId.optional(),
  limit: whole(z.int().min(1).max(200)).prefault(50),
});
export const ApprovalItem = z.object({
  approval_id: z.string(),
  tool: z.string(),
  title: z.string(),
  /** This and what follows of the tool: null where it is gone or not the same any more. */
  source: Source.nullable(),
  description: z.string().nullable(),
  claims: ToolClaims.nullable(),
  arguments: z.record(z.string(), z.unknown()),
  /** How the tool's schema calls them; only of those that it calls something. */
  argument_titles: z.record(z.string(), z.string()),
  /** Why it asks: default, global, session, definition_changed, sensitive. */
  reason: z.string(),
  read_only: z.boolean(),
  egress: z.boolean(),
  labels: z.array(z.string()),
  session_id: z.string().nullable(),
  request_id: z.string().nullable(),
  state: z.enum(['waiting', 'allowed', 'denied', 'used', 'expired', 'cancelled']),
  decision: z.enum(['once', 'session', 'always', 'deny']).nullable(),
  created_at: z.string(),
  decided_at: z.string().nullable(),
});
export const ApprovalList = z.object({
  status: z.literal('success'),
  approvals: z.array(ApprovalItem),
  count: z.int(),
});
export const ApprovalAnswer = z.object({ status: z.literal('success'), approval: ApprovalItem });
export const DecisionRequest = z.object({ decision: z.enum(['once', 'session', 'always', 'deny']) });
