// Labels that somebody took off a session, with the reason.
export const labelReleases = `
CREATE TABLE label_releases (
  pk INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL,
  labels TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX label_releases_by_session ON label_releases(session_id);
`;
