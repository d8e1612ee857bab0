// What the domain knows of MCP servers, in the contract's names.
import type { z } from 'zod';
import type * as contract from '../../contract/mcp.js';
import type * as views from '../../contract/mcp-servers.js';
import { isoUtc } from '../../shared/clock.js';
import type { Owner } from '../../shared/owner.js';
import type { BundleSignature } from '../../skills/mcp/bundle-signature.js';
import { type ImportPlan, PLAN_WAITS_MS } from '../../skills/mcp/import-plan.js';
import type { ImportRequest } from '../../skills/mcp/import-request.js';
import type { Isolation } from '../../skills/mcp/isolation.js';
import type { ImportedServer } from '../../skills/mcp/ports.js';
import { claimsOf, titleOf } from '../../skills/mcp/proxy-generator.js';
import type { StoredTool } from '../../skills/mcp/server-definition.js';
import { changesOf, isCallable, isQuarantined } from '../../skills/mcp/tool-inventory.js';
import type { ToolDescriptor } from '../../skills/ports.js';
import { promptTokens } from '../../skills/prompt-tokens.js';
import { toClaims } from './tool-claims.js';

/** What is known of a server beside what it says of itself. */
export interface ServerFigures {
  memoryBytes: number | null;
  promptTokens: number;
}

/** A user who was granted a server needs to know what it is and whether it works; the rest is for who runs it. */
export function toServer(
  server: ImportedServer,
  { memoryBytes, promptTokens }: ServerFigures,
  viewer: Owner,
): z.output<typeof views.McpServerItem> {
  const operator = viewer === null;
  return {
    name: server.name,
    title: server.title,
    transport: server.transport,
    state: server.state,
    enabled: server.enabled,
    trusted: server.trusted,
    isolation: operator ? server.isolation : null,
    pid: operator ? server.pid : null,
    memory_bytes: operator ? memoryBytes : null,
    era: operator ? server.era : null,
    protocol_version: operator ? server.protocolVersion : null,
    server_info: server.serverInfo && { name: server.serverInfo.name, version: server.serverInfo.version },
    source: operator ? server.source : null,
    tools: server.tools,
    quarantined: operator ? server.quarantined : 0,
    quarantined_definitions: operator ? server.quarantinedOffers : 0,
    prompt_tokens: promptTokens,
    restarts: operator ? server.restarts : null,
    last_error: operator && server.lastError ? { ...server.lastError, at: isoUtc(server.lastError.at) } : null,
    call_ms: operator ? server.callMs : null,
    authorization: operator && server.authorization ? toAuthorization(server.authorization) : null,
    listed_at: operator && server.listedAt !== null ? isoUtc(server.listedAt) : null,
  };
}

const toAuthorization = (status: NonNullable<ImportedServer['authorization']>) => ({
  state: status.state,
  issuer: status.issuer,
  scope: status.scope,
  granted_at: status.grantedAt === null ? null : isoUtc(status.grantedAt),
});

export const toServerTool = (tool: StoredTool, proxy: ToolDescriptor | null): z.output<typeof views.McpToolItem> => ({
  name: proxy?.name ?? null,
  tool: tool.definition.name,
  title: titleOf(tool.definition) === tool.definition.name ? null : titleOf(tool.definition),
  description: tool.definition.description ?? '',
  input_schema: tool.definition.inputSchema,
  output_schema: tool.definition.outputSchema ?? null,
  permission: tool.permission,
  claims: toClaims(claimsOf(tool.definition)),
  hash: tool.hash,
  approved_hash: tool.approved?.hash ?? null,
  state: tool.gone ? 'gone' : tool.refused ? 'refused' : isCallable(tool) ? 'approved' : 'quarantined',
  refused: tool.refused,
  changes: isQuarantined(tool) ? changesOf(tool) : [],
  prompt_tokens: proxy && promptTokens(proxy),
});

const toSignature = (signature: BundleSignature): z.output<typeof views.McpSignature> => {
  const signer = signature.state === 'unsigned' ? null : signature.signer;
  return {
    state: signature.state,
    reason: signature.state === 'not_verified' ? signature.reason : null,
    signer: signer && {
      subject: signer.subject,
      issuer: signer.issuer,
      valid_until: isoUtc(signer.validUntil),
      fingerprint: signer.fingerprint,
    },
  };
};

export const toPlan = (plan: ImportPlan, isolation: Isolation): z.output<typeof views.McpPlan> => ({
  plan_id: plan.planId,
  name: plan.name,
  title: plan.title,
  kind: plan.kind,
  state: 'awaiting_approval',
  created_at: isoUtc(plan.createdAt),
  expires_at: isoUtc(plan.createdAt + PLAN_WAITS_MS),
  source: plan.source,
  build: plan.build.map(({ title, command, network }) => ({ title, command: [...command], network })),
  launch:
    plan.launch.kind === 'stdio'
      ? { kind: 'stdio', command: plan.launch.command, args: [...plan.launch.args] }
      : { kind: 'http', url: plan.launch.url },
  permissions: {
    network: plan.launch.kind === 'http' || plan.launch.network || isolation.best === 'plain',
    readable: plan.launch.kind === 'stdio' ? [...plan.launch.readable] : [],
    writable: plan.launch.kind === 'stdio' ? [...plan.launch.writable] : [],
    environment: plan.launch.kind === 'stdio' ? Object.keys(plan.launch.environment) : [],
    secrets: { ...plan.launch.secrets },
    isolation: plan.launch.kind === 'stdio' ? isolation.best : null,
    trusted: plan.trusted,
    allow_plain: plan.allowPlain,
    private_network: plan.launch.kind === 'http' && plan.launch.allowPrivate,
  },
  dependencies: [...plan.dependencies],
  lock: plan.lock ?? null,
  user_config: (plan.settings ?? []).map((setting) => ({
    name: setting.name,
    type: setting.type,
    title: setting.title,
    description: setting.description,
    required: setting.required,
    sensitive: setting.sensitive,
    multiple: setting.multiple,
    value: setting.value,
    secret: setting.secret,
  })),
  signature: plan.signature ? toSignature(plan.signature) : null,
  missing_config: [...(plan.missingSettings ?? [])],
  missing_secrets: [...plan.missingSecrets],
  warnings: [...plan.warnings],
  hash: plan.hash,
});

export function toImportRequest(body: z.output<typeof contract.ImportRequest>): ImportRequest {
  const { name, title, source, environment, secrets, network, readable, writable, trusted } = body;
  const grants = { environment, secrets, network, readable, writable, trusted, allowPlain: body.allow_plain };
  if (source.kind === 'git')
    return {
      name,
      title,
      grants,
      source: {
        kind: 'git',
        url: source.url,
        ref: source.ref ?? null,
        entrypoint: source.entrypoint ?? null,
        ...(source.ignore_lock ? { ignoreLock: true } : {}),
      },
    };
  if (source.kind === 'remote')
    return {
      name,
      title,
      grants,
      source: { kind: 'remote', url: source.url, headers: source.headers, allowPrivate: source.allow_private },
    };
  if (source.kind === 'bundle')
    return {
      name,
      title,
      grants,
      source: {
        kind: 'bundle',
        bundle: source.bundle ?? null,
        path: source.path ?? null,
        answers: { values: source.user_config, secrets: source.user_secrets },
      },
    };
  return {
    name,
    title,
    grants,
    source: { ...source, version: source.version ?? null, program: source.program ?? null },
  };
}
