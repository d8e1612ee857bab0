// Answers of the Responses API, kept for clients that go on from them by id.
export const responses = `
CREATE TABLE responses (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  previous_id TEXT,
  created_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  document TEXT NOT NULL
);
`;
