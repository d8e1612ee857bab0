// Tasks: what was asked, what came of it, and the text of running answers that belong to no session.
export const tasks = `
CREATE TABLE tasks (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  session_id TEXT,
  idempotency_key TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  request TEXT NOT NULL,
  result TEXT,
  logs TEXT NOT NULL,
  context_history TEXT NOT NULL,
  context_used TEXT
);
CREATE UNIQUE INDEX tasks_by_key ON tasks(idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX tasks_open ON tasks(seq) WHERE status IN ('PENDING', 'PROCESSING');
CREATE INDEX tasks_by_session ON tasks(session_id) WHERE session_id IS NOT NULL;
CREATE TABLE task_parts (task_id TEXT NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (task_id, n)) WITHOUT ROWID;
`;
