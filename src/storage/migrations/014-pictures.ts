// Pictures by their content, and the turns they came with: needed by a task that has not ended, or kept with its message. What
// nothing points at any more goes by itself, whichever way its message, its session or its task went.
export const pictures = `
CREATE TABLE pictures (
  hash TEXT PRIMARY KEY,
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  bytes BLOB NOT NULL
);
CREATE TABLE turn_pictures (
  pk INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  hash TEXT NOT NULL REFERENCES pictures(hash),
  kept INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX turn_pictures_by_turn ON turn_pictures(request_id, n);
CREATE INDEX turn_pictures_by_hash ON turn_pictures(hash);
INSERT INTO pictures (hash, media_type, size, bytes)
  SELECT 'task-' || task_id || '-' || n, media_type, length(bytes), bytes FROM task_pictures;
INSERT INTO turn_pictures (request_id, n, hash)
  SELECT task_id, n, 'task-' || task_id || '-' || n FROM task_pictures ORDER BY rowid;
DROP TABLE task_pictures;
CREATE TRIGGER pictures_go_with_their_message AFTER DELETE ON messages WHEN old.role = 'user'
BEGIN
  DELETE FROM turn_pictures WHERE request_id = old.request_id AND kept = 1;
END;
CREATE TRIGGER pictures_go_with_their_task AFTER DELETE ON tasks
BEGIN
  DELETE FROM turn_pictures WHERE request_id = old.id AND kept = 0;
END;
CREATE TRIGGER pictures_nobody_needs_go AFTER DELETE ON turn_pictures
BEGIN
  DELETE FROM pictures WHERE hash = old.hash AND NOT EXISTS (SELECT 1 FROM turn_pictures WHERE hash = old.hash);
END;
`;
