// What is imported: fetched and read, never run. One answer for every kind of source, of which an ImportPlan is made.
import { join } from 'node:path';
import type { OperationContext } from '../../models/model-operation.js';
import { AppError } from '../../shared/errors.js';
import type { BundleSource } from './bundle-source.js';
import { checkFolder } from './check-import.js';
import { checkEnvironmentNames } from './child-environment.js';
import type { EnvironmentBuilder } from './environment-builder.js';
import { fetchRepository, type GitSourceOptions } from './git-source.js';
import type { ImportPlan } from './import-plan.js';
import type { ImportSource } from './import-request.js';
import { inspectRepository } from './inspect-repository.js';
import { lookUpNpm, lookUpPypi } from './package-source.js';
import { programFolder } from './program-folder.js';
import type { ServerLauncher } from './server-launcher.js';

export interface SourceParts {
  /** `git` is null where the machine has none. */
  git: Omit<GitSourceOptions, 'git'> & { git: string | null };
  launcher: ServerLauncher;
  builder: EnvironmentBuilder;
  bundles: BundleSource;
  /** Of Venom itself; never given to a server. */
  dataDir: string;
}

export interface FoundSource {
  version: string | null;
  build: ImportPlan['build'];
  command: string;
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  dependencies: readonly string[];
  warnings: readonly string[];
  /** What it cannot start without, beside its own files. */
  readable?: readonly string[];
  /** Of a bundle. */
  location?: string;
  secrets?: Readonly<Record<string, string>>;
  settings?: ImportPlan['settings'];
  missing?: readonly string[];
  signature?: ImportPlan['signature'];
  lock?: ImportPlan['lock'];
  /** It has files of its own. */
  staged: boolean;
}

/**
 * Fetches and reads; nothing of it runs. What is fetched lies in `staging`, also after a failure.
 * @throws AppError `mcp_import_failed`, `mcp_lock_mismatch`, `invalid_input`, `forbidden` for a folder of ours, or the signal's reason
 */
export async function lookAtSource(
  source: ImportSource,
  { staging, context }: { staging: string; context: OperationContext },
  { git, launcher, builder, bundles, dataDir }: SourceParts,
): Promise<FoundSource> {
  const { signal } = context;
  if (source.kind === 'git') {
    if (git.git === null)
      throw new AppError('mcp_import_failed', 'git was not found; it is needed to import a repository.');
    const folder = join(staging, 'source');
    const { commit } = await fetchRepository(
      { address: source.url, ref: source.ref, into: folder, signal },
      { ...git, git: git.git },
    );
    context.step('inspect', `Looking at commit ${commit.slice(0, 12)}`);
    const found = inspectRepository(folder, source.entrypoint, {
      uv: builder.hasUv,
      ignoreLock: source.ignoreLock === true,
    });
    return { ...found, version: commit, staged: true };
  }
  if (source.kind === 'npm' || source.kind === 'pypi') {
    const wanted = { name: source.package, version: source.version, program: source.program, args: source.args };
    const facts =
      source.kind === 'npm'
        ? await lookUpNpm({ ...wanted, signal }, git.environment)
        : await lookUpPypi(wanted, (name) => builder.newestWheel(name, staging, signal));
    return { ...facts, environment: {}, dependencies: [`${source.package}@${facts.version}`], staged: true };
  }
  if (source.kind === 'bundle') {
    const found = await bundles.look(source, { into: join(staging, 'source'), uv: builder.hasUv, signal });
    context.step('inspect', `Looking at ${found.location}`);
    checkEnvironmentNames([...Object.keys(found.environment), ...Object.keys(found.secrets)]);
    for (const folder of found.readable) checkFolder(folder, dataDir);
    return { ...found, version: found.hash, staged: true };
  }
  const none = { version: null, build: [], environment: {}, dependencies: [], staged: false };
  if (source.kind === 'config') {
    const folders = [programFolder(source.args), source.cwd ?? null].filter((folder) => folder !== null);
    for (const folder of folders) checkFolder(folder, dataDir);
    return {
      ...none,
      command: launcher.program(source.command),
      args: source.args,
      readable: [...new Set(folders)],
      warnings: ['It starts a program of this machine; nothing pins what that does.'],
    };
  }
  return { ...none, command: '', args: [], warnings: [] };
}

/** After a failed attempt or a crash the fetched files may be gone; they are the same at the same commit. */
export async function fetchAgain(
  plan: ImportPlan,
  { git, into, signal }: { git: SourceParts['git']; into: string; signal: AbortSignal },
): Promise<void> {
  if (git.git === null) throw new AppError('mcp_import_failed', 'git was not found.');
  const { commit } = await fetchRepository(
    { address: plan.source.location, ref: plan.source.version, into, signal },
    { ...git, git: git.git },
  );
  if (commit !== plan.source.version)
    throw new AppError('mcp_import_failed', 'The repository does not have the approved commit any more.');
}

/** How a person would recognize it. */
export function locationOf(source: ImportSource): string {
  if (source.kind === 'git' || source.kind === 'remote') return source.url;
  if (source.kind === 'bundle') return source.path ?? 'bundle';
  return source.kind === 'config' ? source.command : source.package;
}
