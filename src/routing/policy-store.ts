// The policy in effect and its former versions.
import { AppError } from '../shared/errors.js';
import type { PolicyNode } from './policy.js';
import type { RoutingMemory } from './ports.js';

const KEY = 'routing_policy';
const VERSIONS_KEPT = 20;

export interface PolicyVersion {
  version: number;
  /** Null: back to what AI_MODE says. */
  tree: PolicyNode | null;
  createdAt: number;
}

export class PolicyStore {
  readonly #memory: RoutingMemory;
  readonly #fallback: PolicyNode;
  readonly #now: () => number;
  #versions: PolicyVersion[];

  /** `parse` checks what is on disk, which an older Venom may have written. */
  constructor(options: {
    memory: RoutingMemory;
    fallback: PolicyNode;
    parse: (value: unknown) => PolicyVersion[];
    now: () => number;
  }) {
    this.#memory = options.memory;
    this.#fallback = options.fallback;
    this.#now = options.now;
    const stored = options.memory.get(KEY);
    this.#versions = stored === undefined ? [] : options.parse(JSON.parse(stored));
  }

  /** Newest first. */
  get versions(): readonly PolicyVersion[] {
    return this.#versions;
  }

  get current(): { version: number; source: 'default' | 'stored'; tree: PolicyNode; changedAt: number | null } {
    const newest = this.#versions[0];
    return {
      version: newest?.version ?? 0,
      source: newest?.tree ? 'stored' : 'default',
      tree: newest?.tree ?? this.#fallback,
      changedAt: newest?.createdAt ?? null,
    };
  }

  /** @throws AppError `conflict` when `expectedVersion` is not the current one */
  put(tree: PolicyNode | null, expectedVersion?: number): void {
    const { version } = this.current;
    if (expectedVersion !== undefined && expectedVersion !== version)
      throw new AppError('conflict', `The policy is at version ${version}, not ${expectedVersion}.`);
    this.#versions = [{ version: version + 1, tree, createdAt: this.#now() }, ...this.#versions].slice(
      0,
      VERSIONS_KEPT,
    );
    this.#memory.set(KEY, JSON.stringify(this.#versions));
    this.#memory.flush();
  }
}
