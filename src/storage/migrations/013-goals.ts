// Goals of campaigns. They go with the question that brought them, and with their task where it belongs to no session.
export const goals = `
CREATE TABLE goals (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  campaign_id TEXT NOT NULL,
  session_id TEXT,
  n INTEGER NOT NULL,
  text TEXT NOT NULL,
  status TEXT NOT NULL,
  result TEXT,
  error TEXT,
  labels TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE INDEX goals_by_campaign ON goals(campaign_id, n);
CREATE INDEX goals_by_session ON goals(session_id, status);
CREATE TRIGGER goals_go_with_their_question AFTER DELETE ON messages WHEN old.role = 'user'
BEGIN
  DELETE FROM goals WHERE campaign_id = old.request_id;
END;
CREATE TRIGGER goals_go_with_their_task AFTER DELETE ON tasks WHEN old.session_id IS NULL
BEGIN
  DELETE FROM goals WHERE campaign_id = old.id;
END;
`;
