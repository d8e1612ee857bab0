// What an import would do, in full, before anything of it runs: a person agrees to its hash. Data, and nothing else.
import type { PlanSetting } from './bundle-launch.js';
import type { BundleSignature } from './bundle-signature.js';
import { hashOf, type Launch, type ServerSource } from './server-definition.js';

/** Who agrees later than that agrees to something nobody remembers. */
export const PLAN_WAITS_MS = 7 * 86_400_000;

export interface BuildStep {
  title: string;
  /** `{env}`, `{source}` and `{python}` stand for folders that exist only while it is built. */
  command: readonly string[];
  network: boolean;
}

/** The file that says which packages in which versions are installed, and none else. */
export interface PlannedLock {
  file: string;
  /** Of its bytes. */
  sha256: string;
  packages: number;
}

export interface ImportPlan {
  planId: string;
  name: string;
  title: string;
  kind: 'import' | 'update';
  createdAt: number;
  source: ServerSource;
  /** Where fetched files wait; null where nothing is fetched. */
  staging: string | null;
  build: readonly BuildStep[];
  /** As the server will be started; `{env}` and `{source}` stand for its final folders. */
  launch: Launch;
  dependencies: readonly string[];
  /** Null where nothing pins what it needs. */
  lock?: PlannedLock | null;
  /** Of a bundle: what it asks a person for. What was answered is a part of how it starts. */
  settings?: readonly PlanSetting[];
  /** Of these, the names of those without which it does not start. */
  missingSettings?: readonly string[];
  /** Of a bundle: who vouches for it; its bytes are in the hash of the plan, this is not. */
  signature?: BundleSignature;
  /** Secrets it asks for that are not stored yet. */
  missingSecrets: readonly string[];
  warnings: readonly string[];
  trusted: boolean;
  allowPlain: boolean;
  hash: string;
}

/** Everything a person agrees to; not where and when it was made. */
export const planHash = (plan: Omit<ImportPlan, 'hash'>): string => {
  const { name, kind, source, build, launch, dependencies, lock, trusted, allowPlain } = plan;
  return hashOf({
    name,
    kind,
    source,
    build,
    launch,
    dependencies,
    // Plans of an earlier version keep their hash.
    ...(lock ? { lock } : {}),
    trusted,
    allowPlain,
  });
};
