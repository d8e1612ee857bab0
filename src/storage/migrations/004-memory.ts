// What is remembered, with its text index; what was learnt from feedback; running summaries; work that follows a turn.
// Texts of all and texts of one session never share an index: `owner` is 0 for all, -1 for lessons, else the session's
// row in memory_owners. Vectors come and go with the embedding model and are made by sqlite-vectors.ts.
export const memory = `
CREATE TABLE memory_owners (pk INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE);
CREATE TABLE memories (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  owner INTEGER NOT NULL,
  kind TEXT NOT NULL,
  origin TEXT NOT NULL,
  text TEXT NOT NULL,
  source TEXT NOT NULL,
  labels TEXT NOT NULL,
  pinned INTEGER NOT NULL,
  collection TEXT NOT NULL,
  category TEXT,
  topic TEXT,
  user_id TEXT,
  request_id TEXT,
  details TEXT,
  digest TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
);
CREATE UNIQUE INDEX memories_by_digest ON memories(owner, digest);
CREATE INDEX memories_by_kind ON memories(kind, owner);
CREATE INDEX memories_pinned ON memories(owner, pk) WHERE pinned = 1 AND origin = 'user';
CREATE INDEX memories_by_expiry ON memories(expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX memories_by_request ON memories(request_id) WHERE request_id IS NOT NULL;
CREATE TABLE memory_chunks (
  pk INTEGER PRIMARY KEY AUTOINCREMENT,
  memory_pk INTEGER NOT NULL REFERENCES memories(pk) ON DELETE CASCADE,
  owner INTEGER NOT NULL,
  n INTEGER NOT NULL,
  text TEXT NOT NULL,
  page INTEGER,
  start INTEGER NOT NULL,
  embedder INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX memory_chunks_by_memory ON memory_chunks(memory_pk, n);
CREATE INDEX memory_chunks_by_embedder ON memory_chunks(embedder);
CREATE INDEX memory_chunks_by_owner ON memory_chunks(owner);
CREATE VIRTUAL TABLE memory_fts_global USING fts5(content, content='', contentless_delete=1, detail=column, tokenize='unicode61');
CREATE VIRTUAL TABLE memory_fts_owned USING fts5(owner, content, content='', contentless_delete=1, detail=column, tokenize='unicode61');
CREATE VIRTUAL TABLE memory_terms_global USING fts5vocab(memory_fts_global, 'row');
CREATE VIRTUAL TABLE memory_terms_owned USING fts5vocab(memory_fts_owned, 'row');
CREATE TABLE embedders (pk INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL, dimensions INTEGER NOT NULL);
CREATE TABLE session_context (
  session_id TEXT PRIMARY KEY,
  labels TEXT NOT NULL DEFAULT '[]',
  summary TEXT,
  summary_up_to_seq INTEGER NOT NULL DEFAULT 0,
  summary_made_by TEXT,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
ALTER TABLE sessions ADD COLUMN title_origin TEXT NOT NULL DEFAULT 'first_words';
CREATE TABLE feedback (
  pk INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  rating TEXT NOT NULL,
  comment TEXT,
  prompt TEXT NOT NULL,
  result TEXT NOT NULL,
  intent TEXT,
  tool_required INTEGER NOT NULL,
  session_id TEXT
);
CREATE INDEX feedback_by_task ON feedback(task_id);
CREATE TABLE learning_log (
  pk INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  intent TEXT,
  success INTEGER NOT NULL,
  entry TEXT NOT NULL,
  session_id TEXT
);
CREATE TABLE approved_pairs (
  pk INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL,
  intent TEXT NOT NULL,
  prompt TEXT NOT NULL,
  prompt_hash TEXT NOT NULL,
  approved_response TEXT NOT NULL,
  labels TEXT NOT NULL,
  session_id TEXT,
  at INTEGER NOT NULL,
  revoked_at INTEGER,
  UNIQUE (task_id, prompt_hash)
);
CREATE INDEX approved_pairs_by_hash ON approved_pairs(prompt_hash);
CREATE INDEX approved_pairs_by_intent ON approved_pairs(intent, at);
CREATE TABLE active_hidden_prompts (
  intent TEXT PRIMARY KEY,
  prompt TEXT NOT NULL,
  approved_response TEXT NOT NULL,
  prompt_hash TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  activated_by TEXT NOT NULL,
  activated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE result_jobs (
  pk INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT NOT NULL UNIQUE,
  lane TEXT NOT NULL,
  turn TEXT NOT NULL,
  done TEXT NOT NULL DEFAULT '[]',
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  error TEXT
);
CREATE INDEX result_jobs_by_lane ON result_jobs(lane, due_at);
`;
