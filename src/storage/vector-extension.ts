// sqlite-vec, the vector functions of the database. Where it cannot be loaded, such as on an unknown platform, search goes
// by words only and says so.
import type { DatabaseSync } from 'node:sqlite';
import { getLoadablePath } from 'sqlite-vec';

/** Why the database has no vectors; null when it has. The connection must allow extensions, and no longer does afterwards. */
export function loadVectorExtension(db: DatabaseSync): string | null {
  try {
    db.loadExtension(getLoadablePath());
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    db.enableLoadExtension(false);
  }
}
