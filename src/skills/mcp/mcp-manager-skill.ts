// McpManagerSkill: brings MCP servers in, changes and removes them. Fetch and look; a person agrees to exactly that; build
// aside, try without a network, and only then take the place of what was there. Each stage is a step of an operation.
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelOperation, OperationContext } from '../../models/model-operation.js';
import type { ModelOperations } from '../../models/operations.js';
import { AppError } from '../../shared/errors.js';
import { isWithin } from '../../shared/is-within.js';
import { checkImport, isGiveable } from './check-import.js';
import { beginRemoval, removeEmpty, removeLeftovers } from './import-leftovers.js';
import { type ImportPlan, PLAN_WAITS_MS, planHash } from './import-plan.js';
import type { ImportRequest, ImportSource } from './import-request.js';
import { fetchAgain, locationOf, lookAtSource, type SourceParts } from './look-at-source.js';
import type { McpServers } from './mcp-servers.js';
import { existingPaths, hiddenPaths, isFolder } from './named-paths.js';
import { isWaitingOffer } from './offers.js';
import { executablesOf, launchOf, settled } from './plan-launch.js';
import type { PlanRepository, SecretStore } from './ports.js';
import { probeServer } from './probe-server.js';
import { holdsHome, programFolder } from './program-folder.js';
import type { RemoteAuthorizations } from './remote-authorizations.js';
import { hashOf, type ServerManifest, type ServerVersion } from './server-definition.js';
import { isQuarantined } from './tool-inventory.js';

const FORMER_KEPT = 2;
const PLANS_KEPT = 100;
/** More operations than can be under way. */
const OPERATIONS_LOOKED_AT = 200;

export interface McpManagerOptions extends SourceParts {
  servers: McpServers;
  plans: PlanRepository;
  secrets: SecretStore;
  authorizations: RemoteAuthorizations;
  operations: ModelOperations;
  /** Folder of everything imported. */
  dir: string;
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
    const { bundles, dataDir, git } = this.#options;
    checkImport(request, { bundles, dataDir, fileRoots: git.fileRoots });
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
    const cwd = source.kind === 'config' && source.cwd ? [source.cwd] : [];
    const named = [...new Set([...existingPaths(args), ...cwd])].filter(
      (path) =>
        // A home is more than anybody means to give, and where its program lies it may read as it is.
        !holdsHome(path) && !(own !== null && isWithin(own, path)) && isGiveable(path, this.#options.dataDir),
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

  /** Newest first. */
  plans(): ImportPlan[] {
    return this.#options.plans.all().filter((plan) => !this.#isTooOld(plan));
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
    const { staging, name } = this.#keptPlan(planId);
    if (this.#isCarriedOut(planId))
      throw new AppError('conflict', `The import of ${name} is under way; cancel it first.`);
    this.#options.plans.delete(planId);
    if (staging) await rm(staging, { recursive: true, force: true });
  }

  /** Drops plans that nobody agreed to in time, with what was fetched for them. */
  async dropOldPlans(): Promise<void> {
    await this.#drop(this.#options.plans.all().filter((plan) => this.#isTooOld(plan)));
  }

  /** Removes what a killed run left on disk; an import that goes on builds its own anew, so this comes before that. */
  async tidy(): Promise<void> {
    const { dir, plans, servers } = this.#options;
    await this.dropOldPlans();
    const staged = plans.all().map(({ staging }) => staging);
    await removeLeftovers({ dir, staged, records: servers.records() });
  }

  /** The same source again, newest state, with the same grants. @throws AppError `mcp_server_not_found`, `unsupported` */
  update(name: string, change: { ref?: string | null; version?: string | null }): ModelOperation {
    const { origin } = this.#options.servers.known(name);
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
    const record = this.#options.servers.known(name);
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
    this.#options.servers.known(name);
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

  async #plan(context: OperationContext): Promise<Record<string, unknown>> {
    const request = context.operation.input['request'] as ImportRequest;
    const { plans, servers, secrets, launcher, now } = this.#options;
    const { name, source, grants } = request;
    const planId = context.operation.operationId;
    const staging = join(this.#options.dir, 'staging', planId);
    context.step('fetch', `Fetching ${name}`);
    const found = await lookAtSource(source, { staging, context }, this.#options).catch(async (error) => {
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
      ...(found.lock ? { lock: found.lock } : {}),
      ...(found.settings ? { settings: found.settings, missingSettings: found.missing ?? [] } : {}),
      ...(found.signature ? { signature: found.signature } : {}),
      missingSecrets: [...new Set(Object.values({ ...grants.secrets, ...found.secrets }))].filter(
        (secret) => !secrets.names().includes(secret),
      ),
      warnings: [
        ...(request.notes ?? []),
        ...(request.disabled && !servers.record(name) ? ['It is switched off there, and will be here.'] : []),
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
    // Nobody could tell which of two of one name to agree to.
    const others = plans.all().filter((other) => other.planId !== planId);
    await this.#drop(others.filter((other, index) => other.name === name || index >= PLANS_KEPT - 1));
    await this.dropOldPlans();
    return { plan_id: planId, hash: plan.hash, state: 'awaiting_approval' };
  }

  async #import(context: OperationContext): Promise<Record<string, unknown>> {
    const plan = context.operation.input['plan'] as ImportPlan;
    const { servers, launcher, plans, now } = this.#options;
    const { name } = plan;
    const versionId = `${(plan.source.version ?? 'v').replace(/[^\w.-]/g, '_').slice(0, 60)}-${plan.planId.slice(0, 8)}`;
    const home = join(this.#home(name), versionId);
    const former = servers.record(name);
    // A crash after the last step: the work is done.
    if (former?.active.versionId === versionId) {
      plans.delete(plan.planId);
      return this.#report(name);
    }
    if (plan.staging !== null) await this.#build(plan, { staging: plan.staging, home, context });
    const launch = settled(plan.launch, { source: join(home, 'source'), env: join(home, 'env') });
    let manifest: ServerManifest | null;
    try {
      manifest = await probeServer(plan, launch, { launcher, former, context, now }).catch((error: unknown) => {
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
      directory: plan.staging === null ? null : home,
      planHash: plan.hash,
      manifest,
    };
    const kept = former ? [former.active, ...former.former] : [];
    await servers.put({
      name,
      title: plan.title,
      enabled: former?.enabled ?? request?.disabled !== true,
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

  /** Aside, and then moved to where it will stay; nothing points there yet. */
  async #build(
    plan: ImportPlan,
    { staging, home, context }: { staging: string; home: string; context: OperationContext },
  ): Promise<void> {
    const { git, bundles, builder } = this.#options;
    const { signal } = context;
    const folders = { source: join(staging, 'source'), env: join(staging, 'env') };
    context.step('build', 'Building');
    // What an attempt before may have left half done.
    await rm(folders.env, { recursive: true, force: true });
    if (plan.source.kind === 'git') await fetchAgain(plan, { git, into: folders.source, signal });
    else await rm(folders.source, { recursive: true, force: true });
    if (plan.source.kind === 'bundle')
      await bundles.unpackAgain(plan.source.version ?? '', {
        into: folders.source,
        executables: executablesOf(plan.launch),
        signal,
      });
    await builder.build({
      steps: plan.build,
      ...folders,
      signal,
      onStep: (title) => context.step('build', title),
    });
    await rm(home, { recursive: true, force: true });
    await mkdir(this.#home(plan.name), { recursive: true, mode: 0o700 });
    await rename(staging, home);
  }

  #report(name: string): Record<string, unknown> {
    const tools = this.#options.servers.tools(name);
    return {
      server: name,
      needs_authorization: this.#options.servers.get(name)?.state === 'needs_authorization',
      tools: tools.map(({ definition }) => definition.name),
      quarantined: tools.filter(isQuarantined).map(({ definition }) => definition.name),
      quarantined_definitions: this.#options.servers
        .offers(name)
        .filter(isWaitingOffer)
        .map(({ definition }) => `${definition.kind} ${definition.name}`),
    };
  }

  #knownPlan(planId: string): ImportPlan {
    const plan = this.#keptPlan(planId);
    if (this.#isTooOld(plan)) throw noPlan(planId);
    return plan;
  }

  #keptPlan(planId: string): ImportPlan {
    const plan = this.#options.plans.get(planId);
    if (!plan) throw noPlan(planId);
    return plan;
  }

  #isTooOld({ planId, createdAt }: ImportPlan): boolean {
    return createdAt < this.#options.now() - PLAN_WAITS_MS && !this.#isCarriedOut(planId);
  }

  /** From the moment it was agreed to. */
  #isCarriedOut(planId: string): boolean {
    return (
      this.#underWay.has(planId) ||
      this.#options.operations
        .list(OPERATIONS_LOOKED_AT)
        .some(
          ({ type, status, input }) =>
            type === 'mcp_import' &&
            (status === 'pending' || status === 'in_progress') &&
            (input['plan'] as ImportPlan).planId === planId,
        )
    );
  }

  async #drop(plans: readonly ImportPlan[]): Promise<void> {
    for (const { planId } of plans) if (!this.#isCarriedOut(planId)) await this.discard(planId);
  }

  /** Names are checked before they come here. */
  #home(name: string): string {
    return join(this.#options.dir, 'imports', name);
  }
}

const noPlan = (planId: string): AppError =>
  new AppError(
    'not_found',
    `There is no plan ${planId}: it was carried out, dropped, replaced by a newer one, or waited for too long.`,
  );
