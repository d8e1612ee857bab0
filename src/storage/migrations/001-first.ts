// Sessions, messages, the text of running answers, request traces and small state.
export const first = `
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  title TEXT,
  boot_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  next_seq INTEGER NOT NULL
);
CREATE TABLE messages (
  pk INTEGER PRIMARY KEY,
  session_pk INTEGER NOT NULL REFERENCES sessions(pk) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  role TEXT NOT NULL,
  content TEXT NOT NULL,
  status TEXT NOT NULL,
  model TEXT,
  error TEXT,
  usage TEXT,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX messages_by_session ON messages(session_pk, seq);
CREATE INDEX messages_by_request ON messages(request_id);
CREATE TABLE idempotency (key TEXT PRIMARY KEY, request_id TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE stream_parts (request_id TEXT NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (request_id, n)) WITHOUT ROWID;
CREATE TABLE requests (
  pk INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_activity INTEGER NOT NULL,
  trace TEXT NOT NULL
);
CREATE VIRTUAL TABLE messages_fts USING fts5(content, content='', contentless_delete=1, tokenize='unicode61');
`;
