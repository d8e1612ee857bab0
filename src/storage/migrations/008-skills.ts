// What tools may do, who was asked, and how often calls succeeded.
export const skills = `
CREATE TABLE skill_permissions (
  tool TEXT NOT NULL,
  session_id TEXT NOT NULL,
  permission TEXT NOT NULL,
  hash TEXT,
  PRIMARY KEY (tool, session_id)
) WITHOUT ROWID;
CREATE TABLE skill_approvals (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  tool TEXT NOT NULL,
  title TEXT NOT NULL,
  hash TEXT NOT NULL,
  input TEXT NOT NULL,
  reason TEXT NOT NULL,
  read_only INTEGER NOT NULL,
  egress INTEGER NOT NULL,
  labels TEXT NOT NULL,
  session_id TEXT,
  request_id TEXT,
  state TEXT NOT NULL,
  decision TEXT,
  created_at INTEGER NOT NULL,
  decided_at INTEGER
);
CREATE INDEX skill_approvals_by_state ON skill_approvals(state);
CREATE INDEX skill_approvals_by_request ON skill_approvals(request_id);
CREATE TABLE skill_calls (
  tool TEXT PRIMARY KEY,
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
`;
