// What tools ask persons while they work, and what they were told.
export const questions = `
CREATE TABLE skill_questions (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  owner TEXT,
  tool TEXT NOT NULL,
  title TEXT NOT NULL,
  server TEXT,
  hash TEXT NOT NULL,
  question TEXT NOT NULL,
  session_id TEXT,
  request_id TEXT NOT NULL,
  state TEXT NOT NULL,
  action TEXT,
  answer TEXT,
  created_at INTEGER NOT NULL,
  answered_at INTEGER
);
CREATE INDEX skill_questions_by_state ON skill_questions(state);
CREATE INDEX skill_questions_by_request ON skill_questions(request_id);
`;
