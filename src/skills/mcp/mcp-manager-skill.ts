// McpManagerSkill: brings MCP servers in, changes and removes them. Fetch and look; a person agrees to exactly that; build
// aside, try without a network, and only then take the place of what was there. Each stage is a step of an operation.
import { mkdir, rename, rm } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import type { ModelOperation, ModelOperations, OperationContext } from '../../models/operations.js';
import { AppError } from '../../shared/errors.js';
import type { BundleSource } from './bundle-source.js';
import { checkEnvironmentNames } from './child-environment.js';
import type { EnvironmentBuilder } from './environment-builder.js';
import { checkGitAddress, fetchRepository, type GitSourceOptions, realPath } from './git-source.js';
import { beginRemoval, removeEmpty, removeLeftovers, WORKSPACE } from './import-leftovers.js';
import { type ImportPlan, planHash } from './import-plan.js';
import type { ImportRequest, ImportSource } from './import-request.js';
import { inspectRepository } from './inspect-repository.js';
import type { McpConnection } from './mcp-connection.js';
import { type McpServers, manifestOf } from './mcp-servers.js';
import { existingPaths, hiddenPaths, isFolder } from './named-paths.js';
import { lookUpNpm, lookUpPypi } from './package-source.js';
import type { PlanRepository, SecretStore } from './ports.js';
import { holdsHome, isWithin, programFolder } from './program-folder.js';
import type { RemoteAuthorizations } from './remote-authorizations.js';
import {
  hashOf,
  type Launch,
  type RemoteLaunch,
  SERVER_NAME,
  type ServerManifest,
  type ServerRecord,
  type ServerVersion,
  type StdioLaunch,
} from './server-definition.js';
import type { ServerLauncher } from './server-launcher.js';
import { StderrLog } from './stderr-log.js';
import { isQuarantined } from './tool-inventory.js';

const FORMER_KEPT = 2;
const PLANS_KEPT = 100;
const HEADER_NAME = /^[A-Za-z0-9-]{1,100}$/;

export interface McpManagerOptions {
  servers: McpServers;
  launcher: ServerLauncher;
  builder: EnvironmentBuilder;
  plans: PlanRepository;
  secrets: SecretStore;
  authorizations: RemoteAuthorizations;
  operations: ModelOperations;
  git: Omit<GitSourceOptions, 'git'> & { git: string | null };
  bundles: BundleSource;
  /** Folder of everything imported. */
  dir: string;
  /** Of Venom itself; never given to a server. */
  dataDir: string;
  now: () => number;
}

export class McpManagerSkill {
  readonly #options: McpManagerOptions;
  /** Plans that are carried out now. */
  readonly #underWay = new Set<string>();

  constructor(options: McpManagerOptions) {
    this.#options = options;
    options.operations.handle('mcp_plan', (context) => this.#plan(context));
    options.operations.handle('mcp_import', async (context) => {
      const { planId } = context.operation.input['plan'] as ImportPlan;
      this.#underWay.add(planId);
      try {
        return await this.#import(context);
      } finally {
        this.#underWay.delete(planId);
      }
    });
  }

  /**
   * Fetches and looks; nothing of the server runs. The operation's result names the plan that waits for approval.
   * @throws AppError `invalid_input`, `runtime_busy`
   */
  plan(request: ImportRequest): ModelOperation {
    this.#check(request);
    return this.#start('mcp_plan', request.name, request.source.kind, { request });
  }

  /**
   * Out of a configuration that somebody brought from elsewhere: what its arguments name it may read, which the plan shows.
   * @param options.writeNamed  of that, it may change the folders
   * @throws AppError as `plan`
   */
  planConfigured(
    request: ImportRequest,
    { network, writeNamed }: { network: boolean; writeNamed: boolean },
  ): ModelOperation {
    const { source, grants } = request;
    const args = 'args' in source ? source.args : [];
    const own = source.kind === 'config' ? programFolder(args) : null;
    const named = existingPaths(args).filter(
      (path) =>
        // A home is more than anybody means to give, and where its program lies it may read as it is.
        !holdsHome(path) && !(own !== null && isWithin(own, path)) && this.#isGiveable(path),
    );
    const changed = writeNamed ? named.filter(isFolder) : [];
    const read = named.filter((path) => !changed.includes(path));
    return this.plan({
      ...request,
      grants: {
        ...grants,
        network: grants.network || (network && source.kind !== 'remote'),
        readable: [...new Set([...grants.readable, ...read])],
        writable: [...new Set([...grants.writable, ...changed])],
      },
    });
  }

  plans(): ImportPlan[] {
    return this.#options.plans.all();
  }

  /**
   * An administrator agrees to exactly what was shown.
   * @throws AppError `not_found`, `approval_stale` when the hash is another plan's, `conflict` when answers are missing or the
   * file of its bundle has gone
   */
  approve(planId: string, hash: string): ModelOperation {
    const plan = this.#knownPlan(planId);
    if (plan.hash !== hash || planHash(plan) !== hash)
      throw new AppError('approval_stale', 'This is not the plan that was shown; look at it again.');
    if (plan.missingSettings?.length)
      throw new AppError('conflict', `${plan.name} does not start without: ${plan.missingSettings.join(', ')}.`, {
        details: { missing: plan.missingSettings },
      });
    if (plan.source.kind === 'bundle' && !this.#options.bundles.isKept(plan.source.version ?? ''))
      throw new AppError(
        'conflict',
        `The file of ${plan.source.location} is not here any more; discard this plan and import the bundle again.`,
      );
    const request = this.#options.plans.request(planId);
    return this.#start('mcp_import', plan.name, plan.source.kind, { plan, ...(request ? { request } : {}) });
  }

  /** @throws AppError `not_found`, `conflict` while it is carried out */
  async discard(planId: string): Promise<void> {
    const { staging, name } = this.#knownPlan(planId);
    if (this.#underWay.has(planId))
      throw new AppError('conflict', `The import of ${name} is under way; cancel it first.`);
    this.#options.plans.delete(planId);
    if (staging) await rm(staging, { recursive: true, force: true });
  }

  /** Removes what a killed run left on disk; an import that goes on builds its own anew, so this comes before that. */
  async tidy(): Promise<void> {
    const { dir, plans, servers } = this.#options;
    const staged = plans.all().map(({ staging }) => staging);
    await removeLeftovers({ dir, staged, records: servers.records() });
  }

  /** The same source again, newest state, with the same grants. @throws AppError `mcp_server_not_found`, `unsupported` */
  update(name: string, change: { ref?: string | null; version?: string | null }): ModelOperation {
    const { origin } = this.#known(name);
    const source = origin?.source;
    if (!origin || !source || source.kind === 'config' || source.kind === 'remote' || source.kind === 'bundle')
      throw new AppError('unsupported', `${name} has no source that could have news; import it again.`);
    const newer: ImportSource =
      source.kind === 'git'
        ? { ...source, ref: change.ref ?? source.ref }
        : { ...source, version: change.version ?? null };
    return this.plan({ ...origin, source: newer });
  }

  /** To the version before, with the tools as they were agreed to then. @throws AppError `mcp_server_not_found`, `conflict` */
  async rollBack(name: string): Promise<void> {
    const record = this.#known(name);
    const [before, ...older] = record.former;
    if (!before) throw new AppError('conflict', `${name} has no former version.`);
    await this.#options.servers.put({
      ...record,
      active: before,
      former: [record.active, ...older].slice(0, FORMER_KEPT),
    });
  }

  /** Its processes, its row and its files. @throws AppError `mcp_server_not_found` */
  async remove(name: string): Promise<void> {
    this.#known(name);
    await beginRemoval(this.#home(name));
    // Gone from here first; who issued it is told meanwhile.
    const revoked = this.#options.authorizations.forget(name);
    await this.#options.servers.remove(name);
    await revoked;
    await rm(this.#home(name), { recursive: true, force: true });
  }

  /** The same request again is the same operation; another one for this server has to wait. */
  #start(type: 'mcp_plan' | 'mcp_import', name: string, kind: string, input: Record<string, unknown>): ModelOperation {
    const operation = this.#options.operations.start({ type, modelName: name, provider: kind, runtime: 'mcp', input });
    if (hashOf(operation.input) !== hashOf(input))
      throw new AppError('conflict', `Another import of ${name} is under way: operation ${operation.operationId}.`);
    return operation;
  }

  #check({ name, source, grants }: ImportRequest): void {
    if (!SERVER_NAME.test(name))
      throw new AppError(
        'invalid_input',
        'A name is a small letter, then small letters, digits and single dashes, 40 at most.',
      );
    if (source.kind === 'remote') {
      checkRemote(source.url);
      for (const header of [...Object.keys(source.headers), ...Object.keys(grants.secrets)])
        if (!HEADER_NAME.test(header))
          throw new AppError('invalid_input', `${JSON.stringify(header)} is no name of a header.`);
    } else checkEnvironmentNames([...Object.keys(grants.environment), ...Object.keys(grants.secrets)]);
    if (source.kind === 'bundle') this.#options.bundles.check(source);
    if (source.kind === 'git') checkGitAddress(source.url, this.#options.git.fileRoots);
    for (const folder of [...grants.readable, ...grants.writable]) this.#checkFolder(folder);
  }

  /** Ours stays ours: neither our data nor a folder that holds it is given away. */
  #checkFolder(folder: string): void {
    const path = isAbsolute(folder) ? realPath(folder) : null;
    if (path === null)
      throw new AppError('invalid_input', `${JSON.stringify(folder.slice(0, 200))} is no folder of this machine.`);
    const own = realPath(this.#options.dataDir) ?? this.#options.dataDir;
    const holds = (outer: string, inner: string) =>
      inner === outer || inner.startsWith(outer === sep ? sep : `${outer}${sep}`);
    if (holds(path, own) || holds(own, path))
      throw new AppError('forbidden', `${folder} holds data of Venom; a server is not given that.`);
  }

  #isGiveable(folder: string): boolean {
    try {
      this.#checkFolder(folder);
      return true;
    } catch {
      return false;
    }
  }

  async #plan(context: OperationContext): Promise<Record<string, unknown>> {
    const request = context.operation.input['request'] as ImportRequest;
    const { plans, servers, secrets, launcher, now } = this.#options;
    const { name, source, grants } = request;
    const planId = context.operation.operationId;
    const staging = join(this.#options.dir, 'staging', planId);
    context.step('fetch', `Fetching ${name}`);
    const found = await this.#look(source, { staging, context }).catch(async (error) => {
      await rm(staging, { recursive: true, force: true });
      throw error;
    });
    const launch = launchOf(request, found, this.#home(name));
    const hidden = launch.kind === 'stdio' && launcher.hidesFiles ? hiddenPaths(launch) : [];
    const unsigned: Omit<ImportPlan, 'hash'> = {
      planId,
      name,
      title: request.title ?? name,
      kind: servers.record(name) ? 'update' : 'import',
      createdAt: now(),
      source: { kind: source.kind, location: found.location ?? locationOf(source), version: found.version },
      staging: found.staged ? staging : null,
      build: found.build,
      launch,
      dependencies: found.dependencies,
      ...(found.settings ? { settings: found.settings, missingSettings: found.missing ?? [] } : {}),
      ...(found.signature ? { signature: found.signature } : {}),
      missingSecrets: [...new Set(Object.values({ ...grants.secrets, ...found.secrets }))].filter(
        (secret) => !secrets.names().includes(secret),
      ),
      warnings: [
        ...found.warnings,
        ...hidden.map(
          (path) =>
            `It is told of ${path}, which it cannot see, and what it writes there is lost. Import it with that to be read or changed, or with a place of its own: {workspace}.`,
        ),
      ],
      trusted: grants.trusted,
      allowPlain: grants.allowPlain,
    };
    const plan = { ...unsigned, hash: planHash(unsigned) };
    plans.save(plan, request);
    for (const old of plans.all().slice(PLANS_KEPT))
      if (!this.#underWay.has(old.planId)) await this.discard(old.planId);
    return { plan_id: planId, hash: plan.hash, state: 'awaiting_approval' };
  }

  async #look(
    source: ImportSource,
    { staging, context }: { staging: string; context: OperationContext },
  ): Promise<Found> {
    const { git, launcher, builder } = this.#options;
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
      return { ...inspectRepository(folder, source.entrypoint), version: commit, staged: true };
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
      const found = await this.#options.bundles.look(source, { into: join(staging, 'source'), signal });
      context.step('inspect', `Looking at ${found.location}`);
      checkEnvironmentNames([...Object.keys(found.environment), ...Object.keys(found.secrets)]);
      for (const folder of found.readable) this.#checkFolder(folder);
      return { ...found, version: found.hash, staged: true };
    }
    const none = { version: null, build: [], environment: {}, dependencies: [], staged: false };
    if (source.kind === 'config') {
      const folder = programFolder(source.args);
      if (folder !== null) this.#checkFolder(folder);
      return {
        ...none,
        command: launcher.program(source.command),
        args: source.args,
        readable: folder === null ? [] : [folder],
        warnings: ['It starts a program of this machine; nothing pins what that does.'],
      };
    }
    return { ...none, command: '', args: [], warnings: [] };
  }

  async #import(context: OperationContext): Promise<Record<string, unknown>> {
    const plan = context.operation.input['plan'] as ImportPlan;
    const { servers, builder, plans, now } = this.#options;
    const { name } = plan;
    const versionId = `${(plan.source.version ?? 'v').replace(/[^\w.-]/g, '_').slice(0, 60)}-${plan.planId.slice(0, 8)}`;
    const home = join(this.#home(name), versionId);
    const former = servers.record(name);
    // A crash after the last step: the work is done.
    if (former?.active.versionId === versionId) {
      plans.delete(plan.planId);
      return this.#report(name);
    }
    const staged =
      plan.staging === null ? null : { source: join(plan.staging, 'source'), env: join(plan.staging, 'env') };
    if (staged) {
      context.step('build', 'Building');
      // What an attempt before may have left half done.
      await rm(staged.env, { recursive: true, force: true });
      if (plan.source.kind !== 'git') await rm(staged.source, { recursive: true, force: true });
      else await this.#fetchAgain(plan, staged.source, context.signal);
      if (plan.source.kind === 'bundle')
        await this.#options.bundles.unpackAgain(plan.source.version ?? '', {
          into: staged.source,
          executables: executablesOf(plan.launch),
          signal: context.signal,
        });
      await builder.build({
        steps: plan.build,
        ...staged,
        signal: context.signal,
        onStep: (title) => context.step('build', title),
      });
      // Tried where it will stay; nothing points there yet.
      await rm(home, { recursive: true, force: true });
      await mkdir(this.#home(name), { recursive: true, mode: 0o700 });
      await rename(plan.staging as string, home);
    }
    const launch = settled(plan.launch, { source: join(home, 'source'), env: join(home, 'env') });
    let manifest: ServerManifest | null;
    try {
      manifest = await this.#probe(plan, launch, context).catch((error: unknown) => {
        // Imported all the same: a person logs in, and then it is looked at.
        if (!(error instanceof AppError) || error.code !== 'mcp_authorization_required') throw error;
        return former?.active.manifest ?? null;
      });
    } catch (error) {
      // The former version was never touched; where there is none, nothing is left.
      await rm(home, { recursive: true, force: true });
      if (!former) await removeEmpty(this.#home(name));
      throw error;
    }
    context.step('activate', 'Taking its place');
    const request = context.operation.input['request'] as ImportRequest | undefined;
    const version: ServerVersion = {
      versionId,
      createdAt: now(),
      source: plan.source,
      launch,
      directory: staged ? home : null,
      planHash: plan.hash,
      manifest,
    };
    const kept = former ? [former.active, ...former.former] : [];
    await servers.put({
      name,
      title: plan.title,
      enabled: former?.enabled ?? true,
      trusted: plan.trusted,
      allowPlain: plan.allowPlain,
      protocol: former?.protocol ?? 'auto',
      active: version,
      former: kept.slice(0, FORMER_KEPT),
      ...(request ? { origin: request } : {}),
    });
    plans.delete(plan.planId);
    for (const { directory } of kept.slice(FORMER_KEPT))
      if (directory) await rm(directory, { recursive: true, force: true });
    return this.#report(name);
  }

  /** Starts it once and lists its tools. Without a network first; with one only where that was agreed to and is needed. */
  async #probe(plan: ImportPlan, launch: Launch, context: OperationContext): Promise<ServerManifest> {
    const { servers, launcher, now } = this.#options;
    const former = servers.record(plan.name);
    const log = new StderrLog();
    const open = (how: Launch) =>
      launcher.open({
        server: plan.name,
        launch: how,
        trusted: plan.trusted,
        allowPlain: plan.allowPlain,
        protocol: former?.protocol ?? 'auto',
        signal: context.signal,
        log,
      });
    try {
      let connection: McpConnection;
      if (launch.kind === 'http') {
        context.step('probe', 'Asking the server');
        connection = await open(launch);
      } else {
        context.step('probe', 'Trying it without a network');
        connection = await open({ ...launch, network: false }).catch((error) => {
          if (!launch.network || context.signal.aborted) throw error;
          context.step('probe', 'Trying it with the network it was granted');
          return open(launch);
        });
      }
      try {
        // What a person agreed to for the former version holds for what has not changed.
        return await manifestOf(connection, former?.active.manifest ?? null, now(), {
          approveAll: former?.active.manifest == null,
          trusted: plan.trusted,
        });
      } finally {
        await connection.close();
      }
    } catch (error) {
      const said = log.lines(5).join('\n').slice(-500);
      if (error instanceof AppError && said !== '')
        throw new AppError(error.code, `${error.message} It said: ${said}`, { cause: error });
      throw error;
    }
  }

  /** After a failed attempt or a crash the fetched files may be gone; they are the same at the same commit. */
  async #fetchAgain(plan: ImportPlan, into: string, signal: AbortSignal): Promise<void> {
    const { git } = this.#options;
    if (git.git === null) throw new AppError('mcp_import_failed', 'git was not found.');
    const { commit } = await fetchRepository(
      { address: plan.source.location, ref: plan.source.version, into, signal },
      { ...git, git: git.git },
    );
    if (commit !== plan.source.version)
      throw new AppError('mcp_import_failed', 'The repository does not have the approved commit any more.');
  }

  #report(name: string): Record<string, unknown> {
    const tools = this.#options.servers.tools(name);
    return {
      server: name,
      needs_authorization: this.#options.servers.get(name)?.state === 'needs_authorization',
      tools: tools.map(({ definition }) => definition.name),
      quarantined: tools.filter(isQuarantined).map(({ definition }) => definition.name),
    };
  }

  #known(name: string): ServerRecord {
    const record = this.#options.servers.record(name);
    if (!record) throw new AppError('mcp_server_not_found', `There is no MCP server ${name}.`);
    return record;
  }

  #knownPlan(planId: string): ImportPlan {
    const plan = this.#options.plans.get(planId);
    if (!plan) throw new AppError('not_found', `There is no plan ${planId}.`);
    return plan;
  }

  /** Names are checked before they come here. */
  #home(name: string): string {
    return join(this.#options.dir, 'imports', name);
  }
}

interface Found {
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
  /** It has files of its own. */
  staged: boolean;
}

function launchOf({ source, grants }: ImportRequest, found: Found, home: string): Launch {
  if (source.kind === 'remote')
    return {
      kind: 'http',
      url: source.url,
      headers: source.headers,
      secrets: grants.secrets,
      allowPrivate: source.allowPrivate,
    } satisfies RemoteLaunch;
  const workspace = join(home, WORKSPACE);
  // Some servers keep what they write beside their code, which they may not change, unless they are told a place.
  const own = (text: string) => text.replaceAll('{workspace}', workspace);
  const environment = Object.entries({ ...grants.environment, ...found.environment });
  return {
    kind: 'stdio',
    command: found.command,
    args: found.args.map(own),
    cwd: workspace,
    environment: Object.fromEntries(environment.map(([name, value]) => [name, own(value)])),
    secrets: { ...grants.secrets, ...found.secrets },
    network: grants.network,
    readable: [...(found.staged ? ['{source}', '{env}'] : []), ...(found.readable ?? []), ...grants.readable],
    writable: [workspace, ...grants.writable],
  } satisfies StdioLaunch;
}

/** Of a bundle's own files, the one it starts. */
function executablesOf(launch: Launch): string[] {
  const own = '{source}/';
  return launch.kind === 'stdio' && launch.command.startsWith(own) ? [launch.command.slice(own.length)] : [];
}

/** The folders a plan speaks of, as they are on this machine. */
function settled(launch: Launch, { source, env }: { source: string; env: string }): Launch {
  if (launch.kind === 'http') return launch;
  const place = (text: string) =>
    text.replaceAll('{source}', source).replaceAll('{env}', env).replaceAll('{node}', process.execPath);
  return {
    ...launch,
    command: place(launch.command),
    args: launch.args.map(place),
    environment: Object.fromEntries(Object.entries(launch.environment).map(([name, value]) => [name, place(value)])),
    readable: launch.readable.map(place),
  };
}

function locationOf(source: ImportSource): string {
  if (source.kind === 'git' || source.kind === 'remote') return source.url;
  if (source.kind === 'bundle') return source.path ?? 'bundle';
  return source.kind === 'config' ? source.command : source.package;
}

/** @throws AppError `invalid_input` */
function checkRemote(address: string): void {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new AppError('invalid_input', 'The address of the server cannot be read.');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new AppError('invalid_input', 'A remote server is reached over https:// or http://.');
  if (url.username !== '' || url.password !== '')
    throw new AppError('invalid_input', 'The address holds credentials; store them as a secret.');
}
