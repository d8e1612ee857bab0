// Part of the composition: imported MCP servers, their isolation, processes, storage and imports.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { fetchByEnvironment } from '../catalogs/download/ranged-download.js';
import { McpRegistryClient } from '../catalogs/mcp-registry/mcp-registry-client.js';
import type { Settings } from '../config/config.js';
import { CALLBACK_PATH, CLIENT_METADATA_PATH } from '../http/routes/oauth.js';
import type { ModelOperations } from '../models/operations.js';
import { treeMemoryBytes } from '../shared/process-tree.js';
import { judgeSignature } from '../skills/mcp/bundle-signature.js';
import { BundleSource } from '../skills/mcp/bundle-source.js';
import { BundleStore } from '../skills/mcp/bundle-store.js';
import { EnvironmentBuilder } from '../skills/mcp/environment-builder.js';
import { findOnPath, Isolation } from '../skills/mcp/isolation.js';
import { clientMetadata } from '../skills/mcp/login-attempt.js';
import { McpManagerSkill } from '../skills/mcp/mcp-manager-skill.js';
import { McpServers } from '../skills/mcp/mcp-servers.js';
import { McpTools } from '../skills/mcp/mcp-tools.js';
import { ProcessRecords } from '../skills/mcp/process-records.js';
import { ProxyGenerator } from '../skills/mcp/proxy-generator.js';
import { RemoteAuthorizations } from '../skills/mcp/remote-authorizations.js';
import { ServerLauncher } from '../skills/mcp/server-launcher.js';
import { ServerWatch } from '../skills/mcp/server-watch.js';
import { GrantFile } from '../storage/grant-file.js';
import { PendingLoginFile } from '../storage/pending-login-file.js';
import { SecretFile } from '../storage/secret-file.js';
import { SqliteMcpPlans, SqliteMcpServers } from '../storage/sqlite-mcp.js';
import type { SqliteStore } from '../storage/sqlite-store.js';

const SWEEP_MS = 3_600_000;

export interface McpParts {
  store: SqliteStore;
  operations: ModelOperations;
  environment: Readonly<Record<string, string | undefined>>;
  version: string;
  logger: Logger;
  onChange: (server: string) => void;
  /** Where a browser finds us; known once we listen. */
  ownAddress: () => string;
}

export type McpRoom = Awaited<ReturnType<typeof composeMcp>>;

/** Starts no server; ends what a former run left behind. */
export async function composeMcp(settings: Settings, parts: McpParts) {
  const { store, operations, environment, version, logger } = parts;
  const dir = join(settings.VENOM_DATA_DIR, 'mcp');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const records = new ProcessRecords(join(dir, 'run'));
  const newMark = () => records.newMark();
  const ended = records.endLeftovers();
  if (ended > 0) logger.info({ ended }, 'MCP processes of the former run were ended');
  const isolation = await Isolation.detect(environment['PATH']);
  const secrets = new SecretFile(join(settings.VENOM_DATA_DIR, 'mcp-secrets.json'));
  const redirect = () => {
    const address = parts.ownAddress();
    return {
      url: `${address}${CALLBACK_PATH}`,
      clientMetadataUrl: address.startsWith('https://') ? `${address}${CLIENT_METADATA_PATH}` : undefined,
    };
  };
  const authorizations = new RemoteAuthorizations({
    grants: new GrantFile(join(settings.VENOM_DATA_DIR, 'mcp-logins.json')),
    logins: new PendingLoginFile(join(settings.VENOM_DATA_DIR, 'mcp-logins-begun.json')),
    secrets,
    redirect,
    now: Date.now,
  });
  const watch = new ServerWatch({
    processes: settings.MCP_MAX_PROCESSES,
    memoryBytes: settings.MCP_MEMORY_LIMIT_MB * 1_048_576,
    diskBytes: settings.MCP_DISK_LIMIT_MB * 1_048_576,
  });
  const launcher = new ServerLauncher({
    isolation,
    secrets,
    authorizations,
    environment,
    records,
    watch,
    version,
    limits: {
      startMs: settings.MCP_START_TIMEOUT_SECONDS * 1_000,
      callIdleMs: settings.MCP_CALL_IDLE_TIMEOUT_SECONDS * 1_000,
      callCeilingMs: settings.MCP_CALL_TIMEOUT_SECONDS * 1_000,
    },
  });
  const servers = new McpServers({
    repository: new SqliteMcpServers(store),
    launcher,
    now: Date.now,
    idleMs: settings.MCP_IDLE_STOP_SECONDS * 1_000,
    lifetimeMs: settings.MCP_LIFETIME_SECONDS * 1_000,
    onFailure: (server, error) =>
      logger.warn({ server, code: error.code, reason: error.message }, 'an MCP server failed'),
  });
  servers.onChange(parts.onChange);
  const plans = new SqliteMcpPlans(store);
  const bundleStore = new BundleStore({
    dir: join(dir, 'bundles'),
    maxBytes: settings.MCP_BUNDLE_MAX_BYTES,
    now: Date.now,
  });
  const bundles = new BundleSource({
    store: bundleStore,
    fileRoots: settings.MCP_GIT_FILE_ROOTS,
    platform: process.platform,
    home: environment['HOME'] ?? homedir(),
    judge: (path, signal) =>
      judgeSignature(
        path,
        { openssl: findOnPath('openssl', environment['PATH']), environment, dir, now: Date.now },
        signal,
      ),
  });
  const manager = new McpManagerSkill({
    servers,
    launcher,
    builder: new EnvironmentBuilder({ isolation, environment, cacheDir: join(dir, 'cache'), newMark }),
    plans,
    secrets,
    authorizations,
    operations,
    git: { git: findOnPath('git', environment['PATH']), environment, fileRoots: settings.MCP_GIT_FILE_ROOTS, newMark },
    bundles,
    dir,
    dataDir: settings.VENOM_DATA_DIR,
    now: Date.now,
  });
  await manager.tidy();
  const sweeping = setInterval(() => {
    void manager
      .dropOldPlans()
      .catch((error: unknown) => logger.warn({ err: error }, 'old plans of imports were not dropped'));
  }, SWEEP_MS).unref();
  const tools = new McpTools({
    servers,
    generator: new ProxyGenerator(),
    reachesNetwork: (launch) => launcher.reachesNetwork(launch),
  });
  return {
    servers,
    manager,
    tools,
    secrets,
    authorizations,
    isolation,
    bundles,
    bundleBytesMax: settings.MCP_BUNDLE_MAX_BYTES,
    home: environment['HOME'] ?? homedir(),
    keepBundle: (bytes: Readable, signal: AbortSignal) => bundleStore.keep(bytes, signal),
    /** After a browser came back: the server is looked at by itself. */
    completeLogin: async (parameters: URLSearchParams) => {
      const name = await authorizations.complete(parameters);
      await servers.restart(name);
      servers.refresh(name).catch((error: unknown) => logger.info({ err: error, server: name }, 'not looked at yet'));
      return name;
    },
    clientDocument: () => {
      const { url, clientMetadataUrl } = redirect();
      return clientMetadataUrl === undefined
        ? undefined
        : { client_id: clientMetadataUrl, client_uri: parts.ownAddress(), ...clientMetadata(url) };
    },
    /** For commands of models. */
    sandbox: { isolation, newMark, watch },
    registry: new McpRegistryClient({ baseUrl: settings.MCP_REGISTRY_URL, fetch: fetchByEnvironment }),
    memory: treeMemoryBytes,
    programs: () =>
      Object.fromEntries(
        ['git', 'python3', 'uv', 'npm', 'node', 'openssl', 'bwrap', 'unshare', 'setpriv'].map((name) => [
          name,
          findOnPath(name, environment['PATH']),
        ]),
      ),
    close: () => {
      clearInterval(sweeping);
      return servers.close();
    },
  };
}
