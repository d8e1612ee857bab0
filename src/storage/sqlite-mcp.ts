// What skills/mcp/ keeps: imported servers and plans of imports, each row on disk when the call returns.
import type { ImportPlan } from '../skills/mcp/import-plan.js';
import type { ImportRequest } from '../skills/mcp/import-request.js';
import type { PlanRepository, ServerRepository } from '../skills/mcp/ports.js';
import type { ServerRecord } from '../skills/mcp/server-definition.js';
import type { SqliteStore } from './sqlite-store.js';

export class SqliteMcpServers implements ServerRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  all(): ServerRecord[] {
    return this.#store
      .prepare('SELECT server FROM mcp_servers ORDER BY name')
      .all()
      .map((row) => JSON.parse(String(row['server'])));
  }

  save(record: ServerRecord): void {
    this.#store.transaction(() =>
      this.#store
        .prepare(
          'INSERT INTO mcp_servers (name, server) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET server = excluded.server',
        )
        .run(record.name, JSON.stringify(record)),
    );
  }

  delete(name: string): void {
    this.#store.transaction(() => this.#store.prepare('DELETE FROM mcp_servers WHERE name = ?').run(name));
  }
}

export class SqliteMcpPlans implements PlanRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  all(): ImportPlan[] {
    return this.#store
      .prepare('SELECT plan FROM mcp_plans ORDER BY pk DESC')
      .all()
      .map((row) => JSON.parse(String(row['plan'])));
  }

  get(planId: string): ImportPlan | undefined {
    const row = this.#store.prepare('SELECT plan FROM mcp_plans WHERE plan_id = ?').get(planId);
    return row && JSON.parse(String(row['plan']));
  }

  request(planId: string): ImportRequest | undefined {
    const row = this.#store.prepare('SELECT request FROM mcp_plans WHERE plan_id = ?').get(planId);
    return row && JSON.parse(String(row['request']));
  }

  save(plan: ImportPlan, request: ImportRequest): void {
    this.#store.transaction(() =>
      this.#store
        .prepare(
          `INSERT INTO mcp_plans (plan_id, plan, request) VALUES (?, ?, ?)
           ON CONFLICT (plan_id) DO UPDATE SET plan = excluded.plan, request = excluded.request`,
        )
        .run(plan.planId, JSON.stringify(plan), JSON.stringify(request)),
    );
  }

  delete(planId: string): void {
    this.#store.transaction(() => this.#store.prepare('DELETE FROM mcp_plans WHERE plan_id = ?').run(planId));
  }
}
