// What cloud calls cost, what sticks to sessions and messages, and the receipt of each answer.
export const budgets = `
CREATE TABLE spending (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  cost_nano_usd INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX spending_by_time ON spending(at);
CREATE TABLE spending_days (day TEXT PRIMARY KEY, cost_nano_usd INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE session_labels (
  session_id TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (session_id, label)
) WITHOUT ROWID;
ALTER TABLE messages ADD COLUMN labels TEXT;
ALTER TABLE messages ADD COLUMN receipt BLOB;
`;
