// The imported servers: their records, their processes when needed, and whose tools may be called. Asks the disk and the
// protocol through others.
import { isAbsolute, relative, sep } from 'node:path';
import { AppError, toAppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { Permission } from '../ports.js';
import { CallTimes } from './call-times.js';
import { guardedSession } from './guarded-session.js';
import type { McpConnection } from './mcp-connection.js';
import { isWaitingOffer, type OfferKind, type StoredOffer } from './offers.js';
import { PersonalConnections } from './personal-connections.js';
import type {
  ImportedServer,
  ImportedServers,
  McpInteraction,
  McpSession,
  ServerRepository,
  SessionRequest,
} from './ports.js';
import type { ServerRecord, StoredTool } from './server-definition.js';
import type { LaunchRequest, ServerLauncher } from './server-launcher.js';
import { ERA_KNOWN_MS, manifestOf } from './server-manifest.js';
import { ServerSupervisor } from './server-supervisor.js';
import { StderrLog } from './stderr-log.js';
import { isCallable, isQuarantined } from './tool-inventory.js';

const OWN_SESSIONS_MAX = 32;
const LISTS_CHANGED: ReadonlySet<string> = new Set(
  ['tools', 'prompts', 'resources'].map((list) => `notifications/${list}/list_changed`),
);

/** One definition as it was shown. */
export interface ShownOffer {
  kind: OfferKind;
  name: string;
  hash: string;
}

export interface McpServersOptions {
  repository: ServerRepository;
  launcher: ServerLauncher;
  now: () => number;
  /** Processes are ended after so long without use, and at the first quiet moment after so long in all. */
  idleMs: number;
  lifetimeMs: number;
  onFailure: (server: string, error: AppError) => void;
}

interface Entry {
  record: ServerRecord;
  supervisor: ServerSupervisor;
  log: StderrLog;
  times: CallTimes;
}

export class McpServers implements ImportedServers {
  readonly #options: McpServersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(server: string) => void>();
  readonly #own = new Set<McpConnection>();
  readonly #personal: PersonalConnections;
  #closed = false;

  constructor(options: McpServersOptions) {
    this.#options = options;
    const { idleMs, lifetimeMs, now } = options;
    this.#personal = new PersonalConnections({ idleMs, lifetimeMs, now, onChange: (server) => this.#tell(server) });
    for (const record of options.repository.all()) this.#entries.set(record.name, this.#entry(record));
  }

  list(): ImportedServer[] {
    return [...this.#entries.values()].map((entry) => this.#describe(entry)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): ImportedServer | undefined {
    const entry = this.#entries.get(name);
    return entry && this.#describe(entry);
  }

  record(name: string): ServerRecord | undefined {
    return this.#entries.get(name)?.record;
  }

  /** @throws AppError `mcp_server_not_found` */
  known(name: string): ServerRecord {
    return this.#known(name).record;
  }

  records(): ServerRecord[] {
    return [...this.#entries.values()].map(({ record }) => record);
  }

  /** @throws AppError `mcp_server_not_found` */
  logs(name: string, limit: number): string[] {
    return this.#known(name).log.lines(limit);
  }

  onChange(listener: (server: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** On disk when it returns; processes of a former version are ended. */
  async put(record: ServerRecord): Promise<void> {
    this.#options.repository.save(record);
    const former = this.#entries.get(record.name);
    const entry = this.#entry(record);
    this.#entries.set(record.name, entry);
    this.#tell(record.name);
    await Promise.all([former?.supervisor.close(), this.#personal.close(record.name)]);
  }

  /** @throws AppError `mcp_server_not_found` */
  async remove(name: string): Promise<void> {
    const { supervisor } = this.#known(name);
    this.#entries.delete(name);
    this.#options.repository.delete(name);
    this.#tell(name);
    await Promise.all([supervisor.close(), this.#personal.close(name)]);
  }

  /** @throws AppError `mcp_server_not_found` */
  async setEnabled(name: string, enabled: boolean): Promise<void> {
    const entry = this.#known(name);
    this.#save(entry, { ...entry.record, enabled });
    if (!enabled) await Promise.all([entry.supervisor.stop(), this.#personal.close(name)]);
  }

  /** Starts with the next use. @throws AppError `mcp_server_not_found` */
  async restart(name: string): Promise<void> {
    await Promise.all([this.#known(name).supervisor.restart(), this.#personal.close(name)]);
  }

  /** @throws AppError `mcp_server_not_found` */
  tools(name: string): readonly StoredTool[] {
    return this.#known(name).record.active.manifest?.tools ?? [];
  }

  /**
   * A person agrees to a definition as it was shown: bound to its hash.
   * @throws AppError `mcp_server_not_found`, `tool_not_found`, `approval_stale` when it has changed since
   */
  approveTool(server: string, tool: string, hash: string): void {
    this.#changeTool(server, tool, (stored) => {
      if (stored.refused) throw new AppError('tool_quarantined', `${tool} cannot be used: ${stored.refused}`);
      if (stored.hash !== hash)
        throw new AppError('approval_stale', `${tool} has changed since it was shown; look at it again.`);
      return { ...stored, approved: { hash, definition: stored.definition } };
    });
  }

  /** What it offers beside tools. @throws AppError `mcp_server_not_found` */
  offers(name: string): readonly StoredOffer[] {
    return this.#known(name).record.active.manifest?.offers ?? [];
  }

  /**
   * A person agrees to definitions as they were shown, to all of them or to none.
   * @throws AppError `mcp_server_not_found`, `not_found`, `definition_quarantined`, `approval_stale` when one has changed since
   */
  approveOffers(server: string, shown: readonly ShownOffer[]): void {
    const entry = this.#known(server);
    const { active } = entry.record;
    const manifest = active.manifest;
    const offers = [...(manifest?.offers ?? [])];
    for (const { kind, name, hash } of shown) {
      const index = offers.findIndex(({ definition }) => definition.kind === kind && definition.name === name);
      const stored = offers[index];
      if (!stored || stored.gone) throw new AppError('not_found', `${server} has no ${kind} ${name}.`);
      if (stored.refused)
        throw new AppError('definition_quarantined', `The ${kind} ${name} cannot be used: ${stored.refused}`);
      if (stored.hash !== hash)
        throw new AppError('approval_stale', `The ${kind} ${name} has changed since it was shown; look at it again.`);
      offers[index] = { ...stored, approved: { hash, definition: stored.definition } };
    }
    if (manifest) this.#save(entry, { ...entry.record, active: { ...active, manifest: { ...manifest, offers } } });
  }

  /** @throws AppError `mcp_server_not_found`, `tool_not_found` */
  setPermission(server: string, tool: string, permission: Permission): void {
    this.#changeTool(server, tool, (stored) => ({ ...stored, permission }));
  }

  async session(name: string, { interaction, signal }: SessionRequest = {}): Promise<McpSession> {
    const entry = this.#startable(name);
    if (!interaction) {
      const { connection, release } = await entry.supervisor.acquire(signal);
      return this.#guarded(entry, connection, async () => release());
    }
    if (this.#own.size >= OWN_SESSIONS_MAX)
      throw new AppError('queue_full', `${OWN_SESSIONS_MAX} connections of their own are open already.`);
    const connection = await this.#options.launcher.open({ ...this.#request(entry), interaction, signal });
    this.#own.add(connection);
    connection.onClose(() => this.#own.delete(connection));
    try {
      await this.#look(entry, connection);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return this.#guarded(entry, connection, () => connection.close());
  }

  /**
   * For one call of one person, whom the server may ask meanwhile. Undefined where that needs no connection of their own, or
   * where there is no room for one.
   * @throws AppError as `session`
   */
  async personalSession(
    name: string,
    owner: Owner,
    { interaction, signal }: { interaction: McpInteraction; signal: AbortSignal },
  ): Promise<McpSession | undefined> {
    const entry = this.#startable(name);
    // What a server of the 2026 era asks comes back as the result of its own call.
    if (entry.record.active.manifest?.era !== 'legacy') return undefined;
    const lease = await this.#personal.take(name, owner, interaction, async (offered) => {
      await entry.supervisor.mayStart(signal);
      const failed = (failure: AppError) => {
        entry.supervisor.crashedBeside(failure);
        this.#options.onFailure(name, failure);
      };
      const connection = await this.#options.launcher.open({
        ...this.#request(entry),
        interaction: offered,
        signal,
        onLost: failed,
      });
      try {
        await this.#look(entry, connection);
      } catch (error) {
        await connection.close();
        throw error;
      }
      return connection;
    });
    return lease && this.#guarded(entry, lease.connection, async () => lease.release());
  }

  /** Whether its program is kept away from the rest of this machine, and was granted this folder. */
  mayReadFolder(name: string, folder: string): boolean {
    const { launch, trusted, allowPlain } = { ...this.#known(name).record, ...this.#known(name).record.active };
    if (launch.kind !== 'stdio' || this.#options.launcher.tier({ launch, trusted, allowPlain }) === 'plain')
      return false;
    return [...launch.readable, ...launch.writable].some((granted) => isWithin(folder, granted));
  }

  /** Lists the tools of a server anew. @throws AppError as `session` */
  async refresh(name: string, signal?: AbortSignal): Promise<void> {
    const entry = this.#startable(name);
    const { connection, release } = await entry.supervisor.acquire(signal);
    try {
      await this.#look(entry, connection);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([
      ...[...this.#entries.values()].map(({ supervisor }) => supervisor.close()),
      ...[...this.#own].map((connection) => connection.close()),
      this.#personal.close(),
    ]);
  }

  #describe({ record, supervisor, times }: Entry): ImportedServer {
    const { name, title, enabled, trusted, allowPlain, active } = record;
    const { manifest, launch, source } = active;
    const authorization = this.#options.launcher.authorization(name, launch);
    const running = supervisor.connection ?? this.#personal.openOf(name);
    let isolation: ImportedServer['isolation'] = null;
    let refusal: AppError | undefined;
    try {
      isolation = this.#options.launcher.tier({ launch, trusted, allowPlain });
    } catch (error) {
      refusal = toAppError(error);
    }
    return {
      name,
      title,
      transport: manifest?.wire ?? launch.kind,
      state: stateOf({
        enabled,
        authorization,
        known: manifest !== null,
        process: running ? 'running' : supervisor.state,
      }),
      enabled,
      trusted,
      isolation,
      pid: running?.pid ?? null,
      era: manifest?.era ?? null,
      protocolVersion: manifest?.protocolVersion ?? null,
      serverInfo: manifest?.serverInfo ?? null,
      capabilities: manifest?.capabilities ?? {},
      source,
      tools: manifest?.tools.filter(isCallable).length ?? 0,
      quarantined: manifest?.tools.filter(isQuarantined).length ?? 0,
      quarantinedOffers: manifest?.offers?.filter(isWaitingOffer).length ?? 0,
      restarts: supervisor.restarts,
      lastError:
        supervisor.lastError ??
        (refusal ? { code: refusal.code, message: refusal.message, at: this.#options.now() } : null),
      callMs: times.summary(),
      authorization,
      listedAt: manifest?.listedAt ?? null,
    };
  }

  #entry(record: ServerRecord): Entry {
    const log = this.#entries.get(record.name)?.log ?? new StderrLog();
    const entry: Entry = {
      record,
      log,
      times: new CallTimes(),
      supervisor: new ServerSupervisor({
        server: record.name,
        now: this.#options.now,
        idleMs: this.#options.idleMs,
        lifetimeMs: this.#options.lifetimeMs,
        onChange: () => this.#tell(record.name),
        open: async (onLost, signal) => {
          const request = { ...this.#request(entry), signal };
          const connection = await this.#options.launcher.open({
            ...request,
            onLost: (failure) => {
              this.#options.onFailure(record.name, failure);
              onLost(failure);
            },
          });
          try {
            await this.#look(entry, connection);
          } catch (error) {
            await connection.close();
            throw error;
          }
          // Told a thousand times while it looks, it looks once more.
          const lookAgain = onceAtATime(() =>
            this.#look(entry, connection).catch((error) => this.#options.onFailure(record.name, toAppError(error))),
          );
          connection.onNotification(({ method }) => {
            if (LISTS_CHANGED.has(method)) lookAgain();
          });
          return connection;
        },
      }),
    };
    return entry;
  }

  #request({ record, log }: Entry): LaunchRequest {
    const { name, trusted, allowPlain, protocol, active } = record;
    const { manifest } = active;
    const fresh = manifest !== null && this.#options.now() - manifest.eraAt < ERA_KNOWN_MS;
    const prior =
      manifest?.era === 'modern' && manifest.discover
        ? ({ kind: 'modern', discover: manifest.discover } as const)
        : fresh && manifest.era === 'legacy'
          ? ({ kind: 'legacy' } as const)
          : undefined;
    const wire = fresh ? manifest.wire : undefined;
    return {
      server: name,
      launch: active.launch,
      trusted,
      allowPlain,
      protocol,
      log,
      ...(prior ? { prior } : {}),
      wire,
    };
  }

  /** Compares what the server says now with what was agreed to. */
  async #look(entry: Entry, connection: McpConnection): Promise<void> {
    const known = entry.record.active.manifest;
    const manifest = await manifestOf(connection, known, this.#options.now(), {
      // Imported before anybody could look: what was agreed to is the server as it shows itself first.
      approveAll: known === null,
      trusted: entry.record.trusted,
    });
    // Another version may have taken its place meanwhile.
    if (this.#entries.get(entry.record.name) !== entry) return;
    if (
      known &&
      JSON.stringify(known.tools) === JSON.stringify(manifest.tools) &&
      JSON.stringify(known.offers) === JSON.stringify(manifest.offers) &&
      known.era === manifest.era &&
      known.wire === manifest.wire
    ) {
      entry.record = { ...entry.record, active: { ...entry.record.active, manifest } };
      return;
    }
    this.#save(entry, { ...entry.record, active: { ...entry.record.active, manifest } });
  }

  #guarded(entry: Entry, connection: McpConnection, giveBack: () => Promise<void>): McpSession {
    return guardedSession(connection, {
      record: () => entry.record,
      onCall: (durationMs) => entry.times.add(durationMs),
      giveBack,
    });
  }

  #changeTool(server: string, tool: string, change: (stored: StoredTool) => StoredTool): void {
    const entry = this.#known(server);
    const { active } = entry.record;
    const manifest = active.manifest;
    const index = manifest?.tools.findIndex(({ definition }) => definition.name === tool) ?? -1;
    const stored = manifest?.tools[index];
    if (!manifest || !stored) throw new AppError('tool_not_found', `${server} has no tool ${tool}.`);
    const tools = manifest.tools.with(index, change(stored));
    this.#save(entry, { ...entry.record, active: { ...active, manifest: { ...manifest, tools } } });
  }

  #save(entry: Entry, record: ServerRecord): void {
    this.#options.repository.save(record);
    entry.record = record;
    this.#tell(record.name);
  }

  #tell(server: string): void {
    for (const listener of this.#listeners) listener(server);
  }

  #known(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new AppError('mcp_server_not_found', `There is no MCP server ${name}.`);
    return entry;
  }

  #startable(name: string): Entry {
    if (this.#closed) throw new AppError('shutting_down', 'The server is stopping.');
    const entry = this.#known(name);
    if (!entry.record.enabled)
      throw new AppError('mcp_server_disabled', `${name} is switched off; an administrator can enable it.`);
    return entry;
  }
}

const isWithin = (folder: string, granted: string): boolean => {
  const steps = relative(granted, folder);
  return steps !== '..' && !steps.startsWith(`..${sep}`) && !isAbsolute(steps);
};

function stateOf({
  enabled,
  authorization,
  known,
  process,
}: {
  enabled: boolean;
  authorization: ImportedServer['authorization'];
  known: boolean;
  process: ServerSupervisor['state'];
}): ImportedServer['state'] {
  if (!enabled) return 'disabled';
  if (authorization?.state === 'needed') return 'needs_authorization';
  return known || process !== 'known' ? process : 'configured';
}

function onceAtATime(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  return () => {
    again = true;
    if (running) return;
    running = true;
    void (async () => {
      while (again) {
        again = false;
        await work();
      }
      running = false;
    })();
  };
}
