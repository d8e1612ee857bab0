// Imported MCP servers: imports and their plans, servers, tools, secrets.
import { z } from 'zod';
import { SETTING_NAME } from '../skills/mcp/bundle-manifest.js';
import { ENVIRONMENT_NAME } from '../skills/mcp/child-environment.js';
import { REF } from '../skills/mcp/git-source.js';
import { SERVER_NAME } from '../skills/mcp/server-definition.js';
import { whole } from './lax-values.js';
import { Uuid } from './uuid.js';

export const ServerName = z.string().regex(SERVER_NAME, 'a small letter, then small letters, digits and single dashes');
export const SecretName = z.string().regex(/^[A-Za-z0-9][\w.-]{0,99}$/);
const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Program = z.string().min(1).max(200);
const Arguments = z.array(z.string().max(4_000)).max(100).default([]);
const Folder = z.string().min(1).max(4_000);

const Source = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('git'),
    url: z.string().min(1).max(1_000),
    ref: z.string().regex(REF).nullish(),
    entrypoint: z.string().min(1).max(500).nullish(),
    ignore_lock: z.boolean().default(false).describe('installs what the project allows, not what its lock file names'),
  }),
  z.strictObject({
    kind: z.enum(['npm', 'pypi']),
    package: z.string().min(1).max(214),
    version: z.string().min(1).max(100).nullish(),
    program: Program.nullish(),
    args: Arguments,
  }),
  z.strictObject({
    kind: z.literal('bundle'),
    bundle: Hash.nullish().describe('as the upload answered'),
    path: z.string().min(1).max(4_000).nullish().describe('below MCP_GIT_FILE_ROOTS, in place of an upload'),
    user_config: z
      .record(
        z.string().regex(SETTING_NAME),
        z.union([z.string().max(4_000), z.number(), z.boolean(), z.array(z.string().max(4_000)).max(100)]),
      )
      .default({}),
    user_secrets: z
      .record(z.string().regex(SETTING_NAME), SecretName)
      .default({})
      .describe('what is sensitive: the name of a stored secret'),
  }),
  z.strictObject({
    kind: z.literal('remote'),
    url: z.string().min(1).max(2_000),
    headers: z.record(z.string().max(100), z.string().max(4_000)).default({}),
    allow_private: z.boolean().default(false),
  }),
]);

const Names = z.record(z.string().max(128), SecretName);

export const ImportRequest = z.strictObject({
  name: ServerName,
  title: z.string().min(1).max(200).optional(),
  source: Source,
  environment: z.record(z.string().regex(ENVIRONMENT_NAME), z.string().max(10_000)).default({}),
  secrets: Names.default({}),
  network: z.boolean().default(false),
  readable: z.array(Folder).max(50).default([]),
  writable: z.array(Folder).max(50).default([]),
  trusted: z.boolean().default(false),
  allow_plain: z.boolean().default(false),
});

/** `mcpServers` of Claude Desktop and others, `servers` of VS Code, or a registry's server.json. */
export const ConfigRequest = z.strictObject({
  config: z
    .union([z.record(z.string(), z.unknown()), z.string().min(2).max(1_000_000)])
    .describe('the document, or its text, which may have comments'),
  keep_secrets: z
    .boolean()
    .default(false)
    .describe('values that look secret are stored as secrets; else their servers are left out'),
  network: z.boolean().default(false).describe('its programs may reach the network'),
  write_named: z.boolean().default(false).describe('folders that their arguments name may be changed, not only read'),
});

export const ExportQuery = z.object({ format: z.enum(['mcpServers', 'vscode']).default('mcpServers') });

export const ApproveRequest = z.strictObject({ hash: Hash });
export const UpdateRequest = z.strictObject({
  ref: z.string().regex(REF).nullish(),
  version: z.string().min(1).max(100).nullish(),
});
export const CallRequest = z.strictObject({
  tool: z.string().min(1).max(64),
  input: z.record(z.string(), z.unknown()).default({}),
});
export const ToolApproval = z.strictObject({ tool: z.string().min(1).max(256), hash: Hash });
/** Several at once, all or none: a server may have hundreds of resources. */
export const DefinitionsApproval = z.strictObject({
  definitions: z
    .array(
      z.strictObject({
        kind: z.enum(['prompt', 'resource', 'resource_template', 'instructions']),
        name: z.string().min(1).max(2_000),
        hash: Hash,
      }),
    )
    .min(1)
    .max(1_000),
});
export const ToolPermission = z.strictObject({
  tool: z.string().min(1).max(256),
  permission: z.enum(['always', 'ask', 'never']),
});
/** A client registered by hand, where the authorization server registers none by itself. */
const AuthorizeRequest = z.strictObject({
  client_id: z.string().min(1).max(2_000).optional(),
  client_secret: SecretName.optional().describe('name of a stored secret'),
  scope: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e ]{1,1000}$/)
    .optional(),
});
/** Most logins need nothing said. */
export const AuthorizeBody = AuthorizeRequest.nullish();
export const SecretRequest = z.strictObject({ value: z.string().min(1).max(10_000) });

export const ServerParams = z.object({ name: ServerName });
export const PlanParams = z.object({ plan_id: Uuid });
export const SecretParams = z.object({ name: SecretName });
export const LogsQuery = z.object({ limit: whole(z.int().min(1).max(200)).prefault(200) });
