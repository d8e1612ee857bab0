// McpRegistryClient: a registry of MCP servers over its API v0.1. The only file that knows its field names.
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import type { RegistryEntry, RegistrySearch, RegistryValue, ServerRegistry } from '../../skills/mcp/server-registry.js';
import { fetchText } from '../download/fetch-text.js';
import { goodEntries } from '../download/good-entries.js';

const MAX_BYTES = 8_388_608;
const TIMEOUT_MS = 15_000;
const OFFICIAL = 'io.modelcontextprotocol.registry/official';

const Text = (most: number) => z.string().max(most);
const Value = z.object({
  name: Text(128),
  description: Text(2_000).nullish(),
  isRequired: z.boolean().nullish(),
  isSecret: z.boolean().nullish(),
  default: Text(4_000).nullish(),
  value: Text(4_000).nullish(),
});
const Package = z.object({
  registryType: Text(50),
  identifier: Text(500),
  version: Text(100).nullish(),
  packageArguments: z
    .array(z.object({ name: Text(200).nullish(), value: Text(4_000).nullish(), default: Text(4_000).nullish() }))
    .max(100)
    .nullish(),
  environmentVariables: z.array(Value).max(100).nullish(),
});
const Remote = z.object({ type: Text(50), url: Text(2_000), headers: z.array(Value).max(50).nullish() });
const Server = z.object({
  name: Text(200).min(3),
  title: Text(200).nullish(),
  description: Text(2_000).nullish(),
  version: Text(100),
  repository: z.object({ url: Text(1_000).nullish() }).nullish(),
  packages: goodEntries(Package).nullish(),
  remotes: goodEntries(Remote).nullish(),
});
const Listed = z.object({
  server: Server,
  _meta: z
    .object({ [OFFICIAL]: z.object({ status: Text(50).nullish(), updatedAt: Text(50).nullish() }).nullish() })
    .nullish(),
});
const List = z.object({
  servers: goodEntries(Listed),
  metadata: z.object({ nextCursor: Text(1_000).nullish() }).nullish(),
});

export interface McpRegistryOptions {
  /** `MCP_REGISTRY_URL`; empty asks nobody. */
  baseUrl: string;
  fetch: typeof fetch;
}

export class McpRegistryClient implements ServerRegistry {
  readonly #options: McpRegistryOptions;

  constructor(options: McpRegistryOptions) {
    this.#options = options;
  }

  async list({ search, cursor, limit, signal }: RegistrySearch) {
    const query = new URLSearchParams({ version: 'latest', limit: String(limit) });
    if (search !== '') query.set('search', search);
    if (cursor !== undefined) query.set('cursor', cursor);
    const { servers, metadata } = await this.#ask(`/v0.1/servers?${query}`, List, signal);
    return { entries: servers.slice(0, limit).map(toEntry), nextCursor: metadata?.nextCursor || null };
  }

  async get(name: string, signal: AbortSignal): Promise<RegistryEntry> {
    return toEntry(await this.#ask(`/v0.1/servers/${encodeURIComponent(name)}/versions/latest`, Listed, signal));
  }

  async #ask<T>(path: string, shape: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const { baseUrl, fetch: ask } = this.#options;
    if (baseUrl === '')
      throw new AppError('unsupported', 'No registry of MCP servers is set: MCP_REGISTRY_URL is empty.');
    const { status, text } = await fetchText({
      url: baseUrl + path,
      place: 'The registry of MCP servers',
      fetch: ask,
      headers: { accept: 'application/json' },
      redirect: 'manual',
      maxBytes: MAX_BYTES,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (status === 404) throw new AppError('not_found', 'The registry does not know this server.');
    if (status !== 200)
      throw new AppError('upstream_rejected', `The registry of MCP servers answered with status ${status}.`);
    try {
      return shape.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError('upstream_protocol', 'The registry of MCP servers answered in an unknown form.', { cause });
    }
  }
}

function toEntry({ server, _meta: meta }: z.output<typeof Listed>): RegistryEntry {
  return {
    name: server.name,
    title: server.title || server.name,
    description: server.description ?? '',
    version: server.version,
    state: meta?.[OFFICIAL]?.status ?? 'active',
    repository: webAddress(server.repository?.url),
    updatedAt: meta?.[OFFICIAL]?.updatedAt ?? null,
    packages: (server.packages ?? []).map((each) => ({
      kind: each.registryType,
      identifier: each.identifier,
      version: each.version ?? null,
      args: (each.packageArguments ?? []).flatMap(({ name, value, default: usual }) =>
        [name, value ?? usual].filter((word) => word !== null && word !== undefined),
      ),
      environment: (each.environmentVariables ?? []).map(toValue),
    })),
    // The older transport over two addresses is not spoken.
    remotes: (server.remotes ?? [])
      .filter(({ type }) => type === 'streamable-http')
      .map(({ url, headers }) => ({ url, headers: (headers ?? []).map(toValue) })),
  };
}

const toValue = (value: z.output<typeof Value>): RegistryValue => ({
  name: value.name,
  description: value.description ?? null,
  required: value.isRequired ?? false,
  secret: value.isSecret ?? false,
  value: value.value ?? value.default ?? null,
});

/** It becomes a link, and must not become a script. */
const webAddress = (text: string | null | undefined): string | null =>
  text && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : null;
