// From a stored definition to a connection: isolation, environment, secrets and records around a process, or a guarded
// way to a remote server.
import { existsSync, mkdirSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { PriorDiscovery } from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import { childEnvironment } from './child-environment.js';
import { findOnPath, type Isolation } from './isolation.js';
import type { ConnectOptions, McpConnection, McpTransport } from './mcp-connection.js';
import type { IsolationTier, McpInteraction, SecretStore } from './ports.js';
import type { ProcessRecords } from './process-records.js';
import type { GrantStatus, RemoteAuthorizations } from './remote-authorizations.js';
import type { Launch, RemoteLaunch, StdioLaunch } from './server-definition.js';
import type { ServerWatch } from './server-watch.js';
import type { StderrLog } from './stderr-log.js';

export interface ServerLimits {
  startMs: number;
  callIdleMs: number;
  callCeilingMs: number;
}

export interface ServerLauncherOptions {
  isolation: Isolation;
  secrets: SecretStore;
  authorizations: RemoteAuthorizations;
  /** What is passed on is picked from it. */
  environment: Readonly<Record<string, string | undefined>>;
  records: ProcessRecords;
  watch: ServerWatch;
  /** Ours, as servers are told. */
  version: string;
  limits: ServerLimits;
}

export interface LaunchRequest {
  server: string;
  launch: Launch;
  trusted: boolean;
  allowPlain: boolean;
  protocol: 'auto' | 'legacy' | 'modern';
  prior?: PriorDiscovery | undefined;
  /** How a remote server was reached before. */
  wire?: 'sse' | undefined;
  interaction?: McpInteraction | undefined;
  signal?: AbortSignal | undefined;
  log: StderrLog;
  onLost?: (failure: AppError) => void;
}

export class ServerLauncher {
  readonly #options: ServerLauncherOptions;

  constructor(options: ServerLauncherOptions) {
    this.#options = options;
  }

  /** Null for a remote server. @throws AppError `mcp_untrusted` */
  tier({
    launch,
    trusted,
    allowPlain,
  }: Pick<LaunchRequest, 'launch' | 'trusted' | 'allowPlain'>): IsolationTier | null {
    return launch.kind === 'http' ? null : this.#options.isolation.choose({ trusted, allowPlain });
  }

  /** Null for a program, and for a remote server that never asked for a login. */
  authorization(server: string, launch: Launch): GrantStatus | null {
    return launch.kind === 'http' ? this.#options.authorizations.status(server, launch.url) : null;
  }

  /** Whether a program sees no more of this machine than it was granted. */
  get hidesFiles(): boolean {
    return this.#options.isolation.best !== 'plain';
  }

  /** Where no isolation is, nothing keeps a program from the network. */
  reachesNetwork(launch: Launch): boolean {
    return launch.kind === 'http' || launch.network || this.#options.isolation.best === 'plain';
  }

  /** A program of this machine, as it will be started. @throws AppError `invalid_input` when there is none */
  program(command: string): string {
    const found = isAbsolute(command)
      ? existsSync(command)
        ? command
        : null
      : findOnPath(command, this.#options.environment['PATH']);
    if (found === null || (!isAbsolute(command) && !/^[\w.+-]+$/.test(command)))
      throw new AppError('invalid_input', `There is no program ${JSON.stringify(command.slice(0, 200))} here.`);
    return found;
  }

  /**
   * @throws AppError `mcp_untrusted`, `mcp_start_timeout`, `mcp_crashed`, `mcp_protocol`, `cancelled`, `invalid_input`,
   * `mcp_authorization_required`
   */
  async open(request: LaunchRequest): Promise<McpConnection> {
    const { launch } = request;
    const ways =
      launch.kind === 'stdio'
        ? { transport: await this.#process(launch, request), prior: request.prior }
        : await this.#remote(launch, request);
    const { limits, version } = this.#options;
    const { McpConnection: Connection } = await import('./mcp-connection.js');
    return Connection.open({
      server: request.server,
      version,
      ...ways,
      protocol: request.protocol,
      startMs: limits.startMs,
      idleMs: limits.callIdleMs,
      ceilingMs: limits.callCeilingMs,
      interaction: request.interaction,
      signal: request.signal,
      ...(request.onLost ? { onLost: request.onLost } : {}),
    });
  }

  // The protocol's library is large, and most servers of ours never start one of theirs: loaded when it is needed.
  async #process(
    launch: StdioLaunch,
    { server, trusted, allowPlain, log }: LaunchRequest,
  ): Promise<() => McpTransport> {
    const { StdioTransport } = await import('./stdio-transport.js');
    const { isolation, environment, records, watch } = this.#options;
    const tier = isolation.choose({ trusted, allowPlain });
    const secrets = this.#secrets(launch.secrets, server);
    log.hide(Object.values(secrets));
    for (const folder of launch.writable) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const command = isolation.wrap(tier, launch);
    const own = { ...launch.environment, ...secrets };
    return () => {
      const mark = records.newMark();
      return new StdioTransport({
        command,
        cwd: launch.cwd,
        environment: childEnvironment(environment, { home: launch.writable[0] ?? '/tmp', own }),
        mark,
        onSpawn: (id) => records.remember(mark, id),
        onGone: () => records.forget(mark),
        onStderr: (text) => log.add(text),
        watch: (pid, onTooMuch) => watch.watch({ pid, folder: launch.writable[0] ?? null, onTooMuch }),
      });
    };
  }

  /** Streamable HTTP, and for a server that does not know it the transport of 2024; the other way round where that is known. */
  async #remote(
    launch: RemoteLaunch,
    { server, log, prior, wire, protocol }: LaunchRequest,
  ): Promise<Pick<ConnectOptions, 'transport' | 'prior' | 'fallback'>> {
    const { remoteTransports } = await import('./remote-transport.js');
    const secrets = this.#secrets(launch.secrets, server);
    log.hide(Object.values(secrets));
    const headers = { ...launch.headers };
    for (const [name, value] of Object.entries(secrets))
      headers[name] = name.toLowerCase() === 'authorization' && !/\s/.test(value) ? `Bearer ${value}` : value;
    const { streamable, sse } = remoteTransports({
      server,
      launch,
      headers,
      authorizations: this.#options.authorizations,
    });
    if (protocol === 'modern') return { transport: streamable, prior };
    const legacy = { kind: 'legacy' } as const;
    if (wire === 'sse') return { transport: sse, prior: legacy, fallback: { transport: streamable } };
    return { transport: streamable, prior, fallback: { transport: sse, prior: legacy } };
  }

  #secrets(wanted: Readonly<Record<string, string>>, server: string): Record<string, string> {
    return Object.fromEntries(
      Object.entries(wanted).map(([name, secret]) => {
        const value = this.#options.secrets.get(secret);
        if (value === undefined)
          throw new AppError('invalid_input', `${server} needs the secret "${secret}", which is not stored.`, {
            details: { secret },
          });
        return [name, value];
      }),
    );
  }
}
