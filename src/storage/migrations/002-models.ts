// Operations on models, what is known of each installed model, and its versions.
export const models = `
CREATE TABLE operations (
  pk INTEGER PRIMARY KEY,
  operation_id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  operation TEXT NOT NULL
);
CREATE INDEX operations_by_status ON operations(status);
CREATE TABLE manifests (
  name TEXT NOT NULL,
  runtime TEXT NOT NULL,
  manifest TEXT NOT NULL,
  PRIMARY KEY (name, runtime)
) WITHOUT ROWID;
CREATE TABLE versions (
  version_id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  version TEXT NOT NULL
) WITHOUT ROWID;
`;
