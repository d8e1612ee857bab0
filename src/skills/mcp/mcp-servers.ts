// The imported servers: their records, their processes when needed, and whose tools may be called. Asks the disk and the
// protocol through others.
import { AppError, toAppError } from '../../shared/errors.js';
import type { Permission } from '../ports.js';
import { CallTimes } from './call-times.js';
import type { McpConnection } from './mcp-connection.js';
import type {
  ImportedServer,
  ImportedServers,
  McpRequestOptions,
  McpSession,
  ServerRepository,
  SessionRequest,
} from './ports.js';
import {
  definitionHash,
  type ServerManifest,
  type ServerRecord,
  type StoredTool,
  type ToolDefinition,
} from './server-definition.js';
import type { LaunchRequest, ServerLauncher } from './server-launcher.js';
import { ServerSupervisor } from './server-supervisor.js';
import { StderrLog } from './stderr-log.js';
import { isCallable, isQuarantined, mergeTools, toDefinition } from './tool-inventory.js';

/** An old verdict never corrects itself: a server that has become modern still answers the old way. */
const ERA_KNOWN_MS = 7 * 86_400_000;
const OWN_SESSIONS_MAX = 32;

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
  #closed = false;

  constructor(options: McpServersOptions) {
    this.#options = options;
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
    await former?.supervisor.close();
  }

  /** @throws AppError `mcp_server_not_found` */
  async remove(name: string): Promise<void> {
    const { supervisor } = this.#known(name);
    this.#entries.delete(name);
    this.#options.repository.delete(name);
    this.#tell(name);
    await supervisor.close();
  }

  /** @throws AppError `mcp_server_not_found` */
  async setEnabled(name: string, enabled: boolean): Promise<void> {
    const entry = this.#known(name);
    this.#save(entry, { ...entry.record, enabled });
    if (!enabled) await entry.supervisor.stop();
  }

  /** Starts with the next use. @throws AppError `mcp_server_not_found` */
  async restart(name: string): Promise<void> {
    await this.#known(name).supervisor.restart();
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
    ]);
  }

  #describe({ record, supervisor, times }: Entry): ImportedServer {
    const { name, title, enabled, trusted, allowPlain, active } = record;
    const { manifest, launch, source } = active;
    const authorization = this.#options.launcher.authorization(name, launch);
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
      state: stateOf({ enabled, authorization, known: manifest !== null, process: supervisor.state }),
      enabled,
      trusted,
      isolation,
      pid: supervisor.connection?.pid ?? null,
      era: manifest?.era ?? null,
      protocolVersion: manifest?.protocolVersion ?? null,
      serverInfo: manifest?.serverInfo ?? null,
      capabilities: manifest?.capabilities ?? {},
      source,
      tools: manifest?.tools.filter(isCallable).length ?? 0,
      quarantined: manifest?.tools.filter(isQuarantined).length ?? 0,
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
            if (method === 'notifications/tools/list_changed') lookAgain();
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
      known.era === manifest.era &&
      known.wire === manifest.wire
    ) {
      entry.record = { ...entry.record, active: { ...entry.record.active, manifest } };
      return;
    }
    this.#save(entry, { ...entry.record, active: { ...entry.record.active, manifest } });
  }

  /** The session as others see it: only agreed tools, in the words that were agreed to, times counted, given back once. */
  #guarded(entry: Entry, connection: McpConnection, giveBack: () => Promise<void>): McpSession {
    let closing: Promise<void> | undefined;
    const callTool = async (params: Parameters<McpSession['callTool']>[0], options?: McpRequestOptions) => {
      this.#refuseUnapproved(entry, params.name);
      const startedAt = performance.now();
      try {
        return await connection.callTool(params, options);
      } finally {
        entry.times.add(performance.now() - startedAt);
      }
    };
    // A description that nobody has agreed to would steer a model also where its tool cannot be called.
    const listTools: McpSession['listTools'] = async (params, options) => {
      const listed = await connection.listTools(params, options);
      return { ...listed, tools: listed.tools.filter((tool) => isAgreed(entry, tool)) };
    };
    return new Proxy(connection, {
      get: (target, property) => {
        if (property === 'callTool') return callTool;
        if (property === 'listTools') return listTools;
        if (property === 'close')
          return () => {
            closing ??= giveBack();
            return closing;
          };
        const value = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #refuseUnapproved({ record }: Entry, name: string): void {
    const tool = record.active.manifest?.tools.find(({ definition }) => definition.name === name);
    if (!tool || tool.gone) throw new AppError('tool_not_found', `${record.name} has no tool ${name}.`);
    if (tool.permission === 'never') throw new AppError('forbidden', `${name} of ${record.name} was switched off.`);
    if (!isCallable(tool))
      throw new AppError(
        'tool_quarantined',
        tool.refused
          ? `${name} of ${record.name} cannot be used: ${tool.refused}`
          : `${name} of ${record.name} is new or has changed; it waits for approval.`,
      );
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

/** As it is listed now, and not only as it was when it was looked at. */
function isAgreed({ record }: Entry, tool: Readonly<Record<string, unknown>>): boolean {
  const stored = record.active.manifest?.tools.find(({ definition }) => definition.name === tool['name']);
  return (
    stored !== undefined &&
    isCallable(stored) &&
    stored.permission !== 'never' &&
    definitionHash(toDefinition(tool)) === stored.hash
  );
}

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

/** What a connected server is, with its tools merged into what is known of them. */
export async function manifestOf(
  connection: McpConnection,
  known: ServerManifest | null,
  now: number,
  { approveAll, trusted }: { approveAll: boolean; trusted: boolean },
): Promise<ServerManifest> {
  let listed: Readonly<Record<string, unknown>>[] = [];
  try {
    if (connection.capabilities.tools) listed = (await connection.listTools()).tools;
  } catch (error) {
    const { ProtocolError } = await import('@modelcontextprotocol/client');
    if (error instanceof ProtocolError)
      throw new AppError(
        'mcp_protocol',
        `${connection.server} does not list its tools: ${error.message.slice(0, 200)}`,
      );
    throw error;
  }
  const { era } = connection;
  return {
    era,
    ...(connection.wire ? { wire: connection.wire } : {}),
    protocolVersion: connection.protocolVersion,
    discover: connection.discovered,
    eraAt: known && known.era === era && now - known.eraAt < ERA_KNOWN_MS ? known.eraAt : now,
    serverInfo: connection.serverInfo,
    capabilities: connection.capabilities,
    instructions: connection.instructions?.slice(0, 20_000) ?? null,
    tools: mergeTools(known?.tools ?? [], listed, { approveAll, permissionOf: permissionFor(trusted) }),
    listedAt: now,
  };
}

const permissionFor =
  (trusted: boolean) =>
  (definition: ToolDefinition): Permission =>
    trusted && definition.annotations?.['readOnlyHint'] === true ? 'always' : 'ask';
