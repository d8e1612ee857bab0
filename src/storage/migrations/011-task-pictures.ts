// Pictures that came along with tasks, until these have ended.
export const taskPictures = `
CREATE TABLE task_pictures (
  task_id TEXT NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (task_id, n)
);
`;
