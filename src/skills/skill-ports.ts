// What skills/ needs from outside for permissions, approvals and the record of calls. No I/O in this file.
import type { Owner } from '../shared/owner.js';
import type { PermissionOverride } from './permissions.js';

export type ApprovalDecision = 'once' | 'session' | 'always' | 'deny';
/** `allowed` and `denied` wait for the call they were given for; `used` and `expired` are over. */
export type ApprovalState = 'waiting' | 'allowed' | 'denied' | 'used' | 'expired' | 'cancelled';

export interface Approval {
  id: string;
  /** Whose conversation asks. */
  owner: Owner;
  tool: string;
  title: string;
  /** Of the tool's definition. */
  hash: string;
  /** As the model gave it; JSON. */
  input: string;
  reason: string;
  readOnly: boolean;
  egress: boolean;
  labels: readonly string[];
  sessionId: string | null;
  requestId: string | null;
  state: ApprovalState;
  decision: ApprovalDecision | null;
  createdAt: number;
  decidedAt: number | null;
}

export interface ApprovalPage {
  state?: ApprovalState | undefined;
  sessionId?: string | undefined;
  /** Whose; the house sees all of them. */
  viewer?: Owner | undefined;
  limit: number;
}

/** What a tool wants the model to be asked. */
export interface ModelRequest {
  prompt: string;
  system: string;
  maxTokens: number;
  temperature: number;
}

/** The model, for tools; over the same routing as a turn, so what is labelled stays in the house. */
export interface ModelForTools {
  /** @throws AppError what routing and engines refuse, or the signal's reason */
  complete(
    request: ModelRequest & { sessionId: string | null; labels: readonly string[]; signal: AbortSignal },
  ): Promise<{ text: string; model: string }>;
}

/** Everything that returns a promise resolves when it is on disk. */
export interface SkillRepository {
  overrides(): PermissionOverride[];
  setOverride(override: PermissionOverride): Promise<void>;
  removeOverride(tool: string, sessionId: string | null): Promise<boolean>;
  addApproval(approval: Approval): Promise<void>;
  /** Only from one of `from`; whether it was. */
  moveApproval(
    id: string,
    from: readonly ApprovalState[],
    to: { state: ApprovalState; decision?: ApprovalDecision; decidedAt?: number },
  ): Promise<boolean>;
  approval(id: string): Approval | undefined;
  /** Newest first. */
  approvals(query: ApprovalPage): Approval[];
  /** Of one turn, in the order they came. */
  approvalsOf(requestId: string): Approval[];
  /** May be lost in a crash: it only orders what is offered. */
  countCall(tool: string, failed: boolean): void;
  callCounts(): ReadonlyMap<string, { succeeded: number; failed: number }>;
}
