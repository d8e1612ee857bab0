// Permissions, approvals and call counts of tools as rows.
import type { Owner } from '../shared/owner.js';
import type { PermissionOverride } from '../skills/permissions.js';
import type { Permission } from '../skills/ports.js';
import type {
  Approval,
  ApprovalDecision,
  ApprovalPage,
  ApprovalState,
  SkillRepository,
} from '../skills/skill-ports.js';
import type { SqliteStore } from './sqlite-store.js';

const APPROVALS_KEPT = 2_000;
/** A session's id is never empty. */
const EVERYWHERE = '';

export class SqliteSkills implements SkillRepository {
  readonly #store: SqliteStore;
  readonly #onFailure: (error: unknown) => void;

  constructor(store: SqliteStore, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  overrides(): PermissionOverride[] {
    return this.#store
      .prepare('SELECT * FROM skill_permissions ORDER BY tool, session_id')
      .all()
      .map((row) => ({
        tool: String(row['tool']),
        sessionId: row['session_id'] === EVERYWHERE ? null : String(row['session_id']),
        permission: String(row['permission']) as Permission,
        hash: row['hash'] === null ? null : String(row['hash']),
      }));
  }

  setOverride({ tool, sessionId, permission, hash }: PermissionOverride): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare('INSERT OR REPLACE INTO skill_permissions (tool, session_id, permission, hash) VALUES (?, ?, ?, ?)')
        .run(tool, sessionId ?? EVERYWHERE, permission, hash);
    });
  }

  removeOverride(tool: string, sessionId: string | null): Promise<boolean> {
    return this.#store.commit(
      () =>
        Number(
          this.#store
            .prepare('DELETE FROM skill_permissions WHERE tool = ? AND session_id = ?')
            .run(tool, sessionId ?? EVERYWHERE).changes,
        ) > 0,
    );
  }

  addApproval(approval: Approval): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare(
          `INSERT INTO skill_approvals (id, owner, tool, title, hash, input, reason, read_only, egress, labels, session_id,
           request_id, state, decision, created_at, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          approval.id,
          approval.owner,
          approval.tool,
          approval.title,
          approval.hash,
          approval.input,
          approval.reason,
          Number(approval.readOnly),
          Number(approval.egress),
          JSON.stringify(approval.labels),
          approval.sessionId,
          approval.requestId,
          approval.state,
          approval.decision,
          approval.createdAt,
          approval.decidedAt,
        );
      this.#store
        .prepare(
          `DELETE FROM skill_approvals WHERE state NOT IN ('waiting', 'allowed') AND pk <=
           (SELECT max(pk) FROM skill_approvals) - ?`,
        )
        .run(APPROVALS_KEPT);
    });
  }

  moveApproval(
    id: string,
    from: readonly ApprovalState[],
    to: { state: ApprovalState; decision?: ApprovalDecision; decidedAt?: number },
  ): Promise<boolean> {
    return this.#store.commit(
      () =>
        Number(
          this.#store
            .prepare(
              `UPDATE skill_approvals SET state = ?, decision = ifnull(?, decision), decided_at = ifnull(?, decided_at)
               WHERE id = ? AND state IN (SELECT value FROM json_each(?))`,
            )
            .run(to.state, to.decision ?? null, to.decidedAt ?? null, id, JSON.stringify(from)).changes,
        ) > 0,
    );
  }

  approval(id: string): Approval | undefined {
    const row = this.#store.prepare('SELECT * FROM skill_approvals WHERE id = ?').get(id);
    return row && toApproval(row);
  }

  approvals(query: ApprovalPage): Approval[] {
    return this.#store
      .prepare(
        `SELECT * FROM skill_approvals WHERE state = ifnull(?1, state) AND (?2 IS NULL OR session_id = ?2)
           AND (?3 IS NULL OR owner = ?3) ORDER BY pk DESC LIMIT ?4`,
      )
      .all(query.state ?? null, query.sessionId ?? null, query.viewer ?? null, query.limit)
      .map(toApproval);
  }

  approvalsOf(requestId: string): Approval[] {
    return this.#store
      .prepare('SELECT * FROM skill_approvals WHERE request_id = ? ORDER BY pk')
      .all(requestId)
      .map(toApproval);
  }

  countCall(tool: string, failed: boolean): void {
    this.#store
      .commitSoon(() => {
        this.#store
          .prepare(
            `INSERT INTO skill_calls (tool, succeeded, failed) VALUES (?, ?, ?)
             ON CONFLICT (tool) DO UPDATE SET succeeded = succeeded + excluded.succeeded, failed = failed + excluded.failed`,
          )
          .run(tool, failed ? 0 : 1, failed ? 1 : 0);
      })
      .catch(this.#onFailure);
  }

  callCounts(): ReadonlyMap<string, { succeeded: number; failed: number }> {
    return new Map(
      this.#store
        .prepare('SELECT * FROM skill_calls')
        .all()
        .map((row) => [String(row['tool']), { succeeded: Number(row['succeeded']), failed: Number(row['failed']) }]),
    );
  }
}

const toApproval = (row: Record<string, unknown>): Approval => ({
  id: String(row['id']),
  owner: row['owner'] as Owner,
  tool: String(row['tool']),
  title: String(row['title']),
  hash: String(row['hash']),
  input: String(row['input']),
  reason: String(row['reason']),
  readOnly: Number(row['read_only']) === 1,
  egress: Number(row['egress']) === 1,
  labels: JSON.parse(String(row['labels'])) as string[],
  sessionId: row['session_id'] === null ? null : String(row['session_id']),
  requestId: row['request_id'] === null ? null : String(row['request_id']),
  state: String(row['state']) as ApprovalState,
  decision: row['decision'] === null ? null : (String(row['decision']) as ApprovalDecision),
  createdAt: Number(row['created_at']),
  decidedAt: row['decided_at'] === null ? null : Number(row['decided_at']),
});
