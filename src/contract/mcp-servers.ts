// What is answered about imported MCP servers: their state and figures, their tools, plans that wait, and what the registry lists.
import { z } from 'zod';
import { whole } from './lax-values.js';
import { ToolClaims } from './skills.js';

const Tier = z.enum(['sandboxed', 'namespaced', 'plain']);
const Source = z.object({ kind: z.string(), location: z.string(), version: z.string().nullable() });
const Instant = z.string();

/** What a bundle asks its user for. */
export const BundleSetting = z.object({
  name: z.string(),
  type: z.enum(['string', 'number', 'boolean', 'directory', 'file']),
  title: z.string(),
  description: z.string(),
  required: z.boolean(),
  sensitive: z.boolean(),
  multiple: z.boolean(),
});

/** Of an uploaded file. */
export const BundleUpload = z.object({
  status: z.literal('success'),
  bundle: z.string().regex(/^[0-9a-f]{64}$/),
  size_bytes: z.int(),
  manifest: z.object({
    name: z.string(),
    title: z.string(),
    version: z.string(),
    description: z.string(),
    author: z.string().nullable(),
    license: z.string().nullable(),
    type: z.enum(['node', 'python', 'binary', 'uv']),
    platforms: z.array(z.string()).nullable(),
    tools: z.array(z.string()),
    user_config: z.array(
      BundleSetting.extend({
        default: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]).nullable(),
      }),
    ),
  }),
});

export const McpServerItem = z.object({
  name: z.string(),
  title: z.string(),
  transport: z.enum(['stdio', 'http', 'sse']),
  state: z.enum([
    'configured',
    'known',
    'needs_authorization',
    'starting',
    'running',
    'backing_off',
    'crash_loop',
    'disabled',
  ]),
  enabled: z.boolean(),
  trusted: z.boolean(),
  /** Null for a remote server. */
  isolation: Tier.nullable(),
  /** This and what else is for running it is null for a user's key that was granted the server. */
  pid: z.int().nullable(),
  /** Resident, of all its processes; null where it does not run or the platform does not tell. */
  memory_bytes: z.int().nullable(),
  era: z.enum(['modern', 'legacy']).nullable(),
  protocol_version: z.string().nullable(),
  server_info: z.object({ name: z.string(), version: z.string() }).nullable(),
  source: Source.nullable(),
  tools: z.int(),
  quarantined: z.int(),
  /** Prompts, resources, templates of resources and instructions that are new or have changed. */
  quarantined_definitions: z.int(),
  /** What the definitions of its tools take of a prompt in which all of them are offered; an estimate. */
  prompt_tokens: z.int(),
  restarts: z.int().nullable(),
  last_error: z.object({ code: z.string(), message: z.string(), at: Instant }).nullable(),
  call_ms: z.object({ p50: z.number(), p99: z.number(), count: z.int() }).nullable(),
  /** Of a remote server that wants a login. */
  authorization: z
    .object({
      state: z.enum(['needed', 'granted']),
      issuer: z.string().nullable(),
      scope: z.string().nullable(),
      granted_at: Instant.nullable(),
    })
    .nullable(),
  listed_at: Instant.nullable(),
});
export const McpServerList = z.object({
  status: z.literal('success'),
  servers: z.array(McpServerItem),
  count: z.int(),
});
export const McpServerAnswer = z.object({ status: z.literal('success'), server: McpServerItem });
export const McpServerDetail = McpServerAnswer.extend({
  /** Newest first; what a roll back goes to. */
  former: z.array(z.object({ version_id: z.string(), version: z.string().nullable(), created_at: Instant })),
});

export const McpToolItem = z.object({
  /** As a model calls it; null where it cannot be called. */
  name: z.string().nullable(),
  tool: z.string(),
  title: z.string().nullable(),
  description: z.string(),
  input_schema: z.record(z.string(), z.unknown()),
  output_schema: z.record(z.string(), z.unknown()).nullable(),
  permission: z.enum(['always', 'ask', 'never']),
  /** What the server says the tool does; its own word. */
  claims: ToolClaims,
  hash: z.string(),
  approved_hash: z.string().nullable(),
  state: z.enum(['approved', 'quarantined', 'refused', 'gone']),
  refused: z.string().nullable(),
  changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
  prompt_tokens: z.int().nullable(),
});
export const McpToolList = z.object({
  status: z.literal('success'),
  server: z.string(),
  tools: z.array(McpToolItem),
  count: z.int(),
});

export const McpDefinitionItem = z.object({
  kind: z.enum(['prompt', 'resource', 'resource_template', 'instructions']),
  /** A prompt's name, a resource's address, a template. */
  name: z.string(),
  title: z.string().nullable(),
  description: z.string(),
  hash: z.string(),
  approved_hash: z.string().nullable(),
  state: z.enum(['approved', 'quarantined', 'refused', 'gone']),
  refused: z.string().nullable(),
  changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
});
export const McpDefinitionList = z.object({
  status: z.literal('success'),
  server: z.string(),
  definitions: z.array(McpDefinitionItem),
  count: z.int(),
});

export const McpSignature = z.object({
  state: z.enum(['unsigned', 'not_verified', 'signed']),
  /** Why nothing vouches for it. */
  reason: z.enum(['no_openssl', 'self_signed', 'unknown_authority', 'out_of_date', 'not_for_code']).nullable(),
  /** As its certificate says; worth nothing where it is not verified. */
  signer: z
    .object({ subject: z.string(), issuer: z.string(), valid_until: Instant, fingerprint: z.string() })
    .nullable(),
});

export const McpPlan = z.object({
  plan_id: z.string(),
  name: z.string(),
  title: z.string(),
  kind: z.enum(['import', 'update']),
  state: z.literal('awaiting_approval'),
  created_at: Instant,
  /** It is dropped then, with what was fetched for it. */
  expires_at: Instant,
  source: Source,
  build: z.array(z.object({ title: z.string(), command: z.array(z.string()), network: z.boolean() })),
  launch: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('stdio'), command: z.string(), args: z.array(z.string()) }),
    z.object({ kind: z.literal('http'), url: z.string() }),
  ]),
  permissions: z.object({
    network: z.boolean(),
    readable: z.array(z.string()),
    writable: z.array(z.string()),
    environment: z.array(z.string()),
    secrets: z.record(z.string(), z.string()),
    isolation: Tier.nullable(),
    trusted: z.boolean(),
    allow_plain: z.boolean(),
    private_network: z.boolean(),
  }),
  dependencies: z.array(z.string()),
  /** Says exactly what is installed; null where nothing pins it, and where nothing is needed. */
  lock: z.object({ file: z.string(), sha256: z.string(), packages: z.int() }).nullable(),
  user_config: z.array(
    BundleSetting.extend({
      value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()]).nullable(),
      secret: z.string().nullable(),
    }),
  ),
  /** Of a bundle; null for anything else, and in plans of earlier versions. */
  signature: McpSignature.nullable(),
  missing_config: z.array(z.string()),
  missing_secrets: z.array(z.string()),
  warnings: z.array(z.string()),
  hash: z.string(),
});
export const McpPlanList = z.object({ status: z.literal('success'), plans: z.array(McpPlan), count: z.int() });

export const RegistryQuery = z.object({
  search: z.string().max(200).default(''),
  cursor: z.string().max(1_000).optional(),
  limit: whole(z.int().min(1).max(100)).prefault(30),
});
export const RegistryParams = z.object({ name: z.string().min(3).max(200) });
const RegistryValue = z.object({
  name: z.string(),
  description: z.string().nullable(),
  required: z.boolean(),
  secret: z.boolean(),
  value: z.string().nullable(),
});
export const RegistryEntry = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  version: z.string(),
  /** `active`, `deprecated` or whatever else the registry calls it. */
  state: z.string(),
  repository: z.string().nullable(),
  updated_at: Instant.nullable(),
  packages: z.array(
    z.object({
      /** `npm` and `pypi` can be imported; others are named so that it is seen what there is. */
      kind: z.string(),
      identifier: z.string(),
      version: z.string().nullable(),
      args: z.array(z.string()),
      environment: z.array(RegistryValue),
    }),
  ),
  remotes: z.array(z.object({ url: z.string(), headers: z.array(RegistryValue) })),
});
export const RegistryList = z.object({
  status: z.literal('success'),
  entries: z.array(RegistryEntry),
  next_cursor: z.string().nullable(),
});
export const RegistryAnswer = z.object({ status: z.literal('success'), entry: RegistryEntry });

/** Where a person logs in; good until `expires_at`. */
export const McpLogin = z.object({
  status: z.literal('success'),
  authorization_url: z.string(),
  expires_at: Instant,
});
