// What models/ keeps: operations, manifests and versions, each row on disk when the call returns.
import type { ModelManifest } from '../models/manifest.js';
import type { ModelOperation } from '../models/model-operation.js';
import type { ManifestRepository, ModelVersion, OperationRepository, VersionRepository } from '../models/ports.js';
import type { SqliteStore } from './sqlite-store.js';

const OPERATIONS_KEPT = 1_000;

export class SqliteOperations implements OperationRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  save(operation: ModelOperation): void {
    this.#store.transaction(() => {
      this.#store
        .prepare(
          `INSERT INTO operations (operation_id, status, operation) VALUES (?, ?, ?)
           ON CONFLICT (operation_id) DO UPDATE SET status = excluded.status, operation = excluded.operation`,
        )
        .run(operation.operationId, operation.status, JSON.stringify(operation));
      // Once per operation, not at each of its steps. Only ended ones are forgotten, so that a long queue never loses what
      // is still to be done.
      if (operation.status !== 'pending') return;
      this.#store
        .prepare(
          `DELETE FROM operations WHERE status NOT IN ('pending', 'in_progress')
           AND pk <= (SELECT max(pk) FROM operations) - ?`,
        )
        .run(OPERATIONS_KEPT);
    });
  }

  get(operationId: string): ModelOperation | undefined {
    const row = this.#store.prepare('SELECT operation FROM operations WHERE operation_id = ?').get(operationId);
    return row && JSON.parse(String(row['operation']));
  }

  list(limit: number): ModelOperation[] {
    return this.#store
      .prepare('SELECT operation FROM operations ORDER BY pk DESC LIMIT ?')
      .all(limit)
      .map((row) => JSON.parse(String(row['operation'])));
  }

  unfinished(): ModelOperation[] {
    return this.#store
      .prepare(`SELECT operation FROM operations WHERE status IN ('pending', 'in_progress') ORDER BY pk`)
      .all()
      .map((row) => JSON.parse(String(row['operation'])));
  }
}

export class SqliteManifests implements ManifestRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  /** A row that cannot be read is passed over, and stays where it is. */
  all(): ModelManifest[] {
    return this.#store
      .prepare('SELECT manifest FROM manifests ORDER BY name')
      .all()
      .flatMap((row) => {
        try {
          return [JSON.parse(String(row['manifest'])) as ModelManifest];
        } catch {
          return [];
        }
      });
  }

  save(manifest: ModelManifest): void {
    this.#store.transaction(() =>
      this.#store
        .prepare(
          `INSERT INTO manifests (name, runtime, manifest) VALUES (?, ?, ?)
           ON CONFLICT (name, runtime) DO UPDATE SET manifest = excluded.manifest`,
        )
        .run(manifest.name, manifest.runtime, JSON.stringify(manifest)),
    );
  }

  delete(name: string, runtime: string): void {
    this.#store.transaction(() =>
      this.#store.prepare('DELETE FROM manifests WHERE name = ? AND runtime = ?').run(name, runtime),
    );
  }
}

export class SqliteVersions implements VersionRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  all(): ModelVersion[] {
    return this.#store
      .prepare('SELECT version FROM versions ORDER BY created_at')
      .all()
      .map((row) => JSON.parse(String(row['version'])));
  }

  /** All of them in one commit, so that there is never a moment with two active versions or none. */
  save(versions: readonly ModelVersion[], gone: readonly string[] = []): void {
    const upsert = this.#store.prepare(
      `INSERT INTO versions (version_id, created_at, version) VALUES (?, ?, ?)
       ON CONFLICT (version_id) DO UPDATE SET version = excluded.version`,
    );
    this.#store.transaction(() => {
      for (const id of gone) this.#store.prepare('DELETE FROM versions WHERE version_id = ?').run(id);
      for (const version of versions) upsert.run(version.versionId, version.createdAt, JSON.stringify(version));
    });
  }
}
