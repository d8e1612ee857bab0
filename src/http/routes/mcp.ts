// /mcp: imported MCP servers, their imports, tools and secrets.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as contract from '../../contract/mcp.js';
import * as views from '../../contract/mcp-servers.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { writeConfig } from '../../skills/mcp/config-export.js';
import { parseConfig, readConfig } from '../../skills/mcp/config-formats.js';
import type { Isolation } from '../../skills/mcp/isolation.js';
import type { McpManagerSkill } from '../../skills/mcp/mcp-manager-skill.js';
import type { McpServers } from '../../skills/mcp/mcp-servers.js';
import type { McpTools } from '../../skills/mcp/mcp-tools.js';
import type { ImportedServer, SecretStore } from '../../skills/mcp/ports.js';
import type { RemoteAuthorizations } from '../../skills/mcp/remote-authorizations.js';
import { isCallable } from '../../skills/mcp/tool-inventory.js';
import { typeDeclarations } from '../../skills/mcp/type-declarations.js';
import { promptTokens } from '../../skills/prompt-tokens.js';
import type { ToolGrants } from '../../skills/tool-grants.js';
import { whileOpen } from '../while-open.js';
import { toImportRequest, toPlan, toServer, toServerTool } from './mcp-shapes.js';
import { toOperation } from './model-shapes.js';

export interface McpRoutesOptions {
  servers: McpServers;
  manager: McpManagerSkill;
  tools: McpTools;
  secrets: SecretStore;
  authorizations: RemoteAuthorizations;
  grants: Pick<ToolGrants, 'mayUseServer'>;
  isolation: Isolation;
  /** Where the programs lie that imports need; null where one is not there. */
  programs: () => Record<string, string | null>;
  bundleBytesMax: number;
  /** Of whoever runs this. */
  home: string;
  /** Resident bytes of what runs under each of these processes. */
  memory: (pids: readonly number[]) => ReadonlyMap<number, number>;
}

const accepted = 202;

export const mcpRoutes: FastifyPluginAsyncZod<McpRoutesOptions> = async (
  app,
  { servers, manager, tools, secrets, authorizations, grants, isolation, programs, bundleBytesMax, home, memory },
) => {
  const tags = ['mcp'];
  const described = (shown: readonly ImportedServer[], viewer: Owner) => {
    const bytes = memory(shown.flatMap(({ pid }) => pid ?? []));
    const tokens = new Map<string, number>();
    for (const tool of tools.tools())
      tokens.set(tool.source.id, (tokens.get(tool.source.id) ?? 0) + promptTokens(tool));
    return shown.map((server) =>
      toServer(
        server,
        {
          memoryBytes: server.pid === null ? null : (bytes.get(server.pid) ?? null),
          promptTokens: tokens.get(server.name) ?? 0,
        },
        viewer,
      ),
    );
  };
  /** @throws AppError `mcp_server_not_found`, also where the viewer was not granted it */
  const one = (name: string, viewer: Owner) => {
    const server = grants.mayUseServer(viewer, name) ? servers.get(name) : undefined;
    const [shown] = server ? described([server], viewer) : [];
    if (!shown) throw new AppError('mcp_server_not_found', `There is no MCP server ${name}.`);
    return shown;
  };

  app.get('/mcp/servers', { schema: { response: { 200: views.McpServerList }, tags } }, async ({ owner }) => {
    const all = described(
      servers.list().filter(({ name }) => grants.mayUseServer(owner, name)),
      owner,
    );
    return { status: 'success' as const, servers: all, count: all.length };
  });
  app.get(
    '/mcp/servers/:name',
    { schema: { params: contract.ServerParams, response: { 200: views.McpServerDetail }, tags } },
    async ({ params, owner }) => ({
      status: 'success' as const,
      server: one(params.name, owner),
      former: (owner === null ? (servers.record(params.name)?.former ?? []) : []).map(
        ({ versionId, source, createdAt }) => ({
          version_id: versionId,
          version: source.version,
          created_at: isoUtc(createdAt),
        }),
      ),
    }),
  );
  app.get(
    '/mcp/servers/:name/logs',
    { schema: { params: contract.ServerParams, querystring: contract.LogsQuery, tags } },
    async ({ params, query }) => ({ status: 'success', lines: servers.logs(params.name, query.limit) }),
  );
  for (const action of ['enable', 'disable', 'restart', 'refresh', 'rollback'] as const)
    app.post(
      `/mcp/servers/:name/${action}`,
      { schema: { params: contract.ServerParams, tags } },
      async ({ params, owner }) => {
        const { name } = params;
        if (action === 'restart') await servers.restart(name);
        else if (action === 'refresh') await servers.refresh(name);
        else if (action === 'rollback') await manager.rollBack(name);
        else await servers.setEnabled(name, action === 'enable');
        return { status: 'success', server: one(name, owner) };
      },
    );
  app.post(
    '/mcp/servers/:name/update',
    { schema: { params: contract.ServerParams, body: contract.UpdateRequest.default({}), tags } },
    async ({ params, body }, reply) =>
      reply.status(accepted).send({ status: 'success', operation: toOperation(manager.update(params.name, body)) }),
  );
  app.delete('/mcp/servers/:name', { schema: { params: contract.ServerParams, tags } }, async ({ params }) => {
    await manager.remove(params.name);
    return { status: 'success', name: params.name };
  });

  app.post(
    '/mcp/servers/:name/authorize',
    {
      schema: { params: contract.ServerParams, body: contract.AuthorizeBody, response: { 200: views.McpLogin }, tags },
    },
    async ({ params, body }) => {
      const { launch } = servers.known(params.name).active;
      if (launch.kind !== 'http') throw new AppError('unsupported', `${params.name} is a program of this machine.`);
      const { authorizationUrl, expiresAt } = await authorizations.begin(params.name, launch, {
        clientId: body?.client_id,
        clientSecret: body?.client_secret,
        scope: body?.scope,
      });
      return { status: 'success' as const, authorization_url: authorizationUrl, expires_at: isoUtc(expiresAt) };
    },
  );
  app.delete(
    '/mcp/servers/:name/authorize',
    { schema: { params: contract.ServerParams, tags } },
    async ({ params, owner }) => {
      servers.known(params.name);
      const told = authorizations.logOut(params.name);
      await servers.restart(params.name);
      return { status: 'success', revoked: await told, server: one(params.name, owner) };
    },
  );

  app.post('/mcp/import', { schema: { body: contract.ImportRequest, tags } }, async ({ body }, reply) =>
    reply.status(accepted).send({ status: 'success', operation: toOperation(manager.plan(toImportRequest(body))) }),
  );
  app.post('/mcp/import/config', { schema: { body: contract.ConfigRequest, tags } }, async ({ body }, reply) => {
    const config = typeof body.config === 'string' ? parseConfig(body.config) : body.config;
    const { requests, skipped, secrets: found } = readConfig(config, { keepSecrets: body.keep_secrets, home });
    // Before their servers are planned, so that nothing is said to be missing.
    for (const { name, value } of found) secrets.set(name, value);
    const operations = requests.flatMap((request) => {
      try {
        const grant = { network: body.network, writeNamed: body.write_named };
        return toOperation(manager.planConfigured(request, grant));
      } catch (error) {
        // One that cannot be imported keeps nobody else from it.
        if (!(error instanceof AppError) || error.code === 'shutting_down') throw error;
        skipped.push({ name: request.title ?? request.name, reason: error.message });
        return [];
      }
    });
    return reply.status(accepted).send({ status: 'success', operations, skipped });
  });
  app.get('/mcp/export', { schema: { querystring: contract.ExportQuery, tags } }, async ({ query }) =>
    writeConfig(servers.records(), query.format),
  );
  app.get('/mcp/plans', { schema: { response: { 200: views.McpPlanList }, tags } }, async () => {
    const plans = manager.plans().map((plan) => toPlan(plan, isolation));
    return { status: 'success' as const, plans, count: plans.length };
  });
  app.post(
    '/mcp/plans/:plan_id/approve',
    { schema: { params: contract.PlanParams, body: contract.ApproveRequest, tags } },
    async ({ params, body }, reply) =>
      reply
        .status(accepted)
        .send({ status: 'success', operation: toOperation(manager.approve(params.plan_id, body.hash)) }),
  );
  app.delete('/mcp/plans/:plan_id', { schema: { params: contract.PlanParams, tags } }, async ({ params }) => {
    await manager.discard(params.plan_id);
    return { status: 'success', plan_id: params.plan_id };
  });

  app.get(
    '/mcp/servers/:name/tools',
    { schema: { params: contract.ServerParams, response: { 200: views.McpToolList }, tags } },
    async ({ params, owner }) => {
      one(params.name, owner);
      const proxies = tools.proxiesOf(params.name);
      const all = servers
        .tools(params.name)
        // Words that nobody has agreed to are shown to who may agree to them.
        .filter((tool) => owner === null || (isCallable(tool) && tool.permission !== 'never'))
        .map((tool) => toServerTool(tool, proxies.get(tool.definition.name) ?? null));
      return { status: 'success' as const, server: params.name, tools: all, count: all.length };
    },
  );
  app.get(
    '/mcp/servers/:name/types',
    { schema: { params: contract.ServerParams, tags } },
    async ({ params, owner }, reply) => {
      one(params.name, owner);
      reply.type('text/plain; charset=utf-8');
      return typeDeclarations(tools.tools().filter(({ source }) => source.id === params.name));
    },
  );
  app.post(
    '/mcp/servers/:name/tools/approve',
    { schema: { params: contract.ServerParams, body: contract.ToolApproval, tags } },
    async ({ params, body, owner }) => {
      servers.approveTool(params.name, body.tool, body.hash);
      return { status: 'success', server: one(params.name, owner) };
    },
  );
  app.post(
    '/mcp/servers/:name/tools/permission',
    { schema: { params: contract.ServerParams, body: contract.ToolPermission, tags } },
    async ({ params, body, owner }) => {
      servers.setPermission(params.name, body.tool, body.permission);
      return { status: 'success', server: one(params.name, owner) };
    },
  );
  // By hand: whoever asks here has said yes.
  app.post('/mcp/call', { schema: { body: contract.CallRequest, tags } }, async ({ body, owner }, reply) => {
    const startedAt = performance.now();
    const outcome = await tools.call({
      name: body.tool,
      input: body.input,
      owner,
      sessionId: null,
      requestId: null,
      labels: [],
      signal: whileOpen(reply),
    });
    return {
      status: outcome.failed ? 'failed' : 'success',
      tool: body.tool,
      text: outcome.text,
      structured: outcome.structured,
      code: outcome.errorCode,
      untrusted: outcome.untrusted,
      duration_ms: Math.round((performance.now() - startedAt) * 100) / 100,
    };
  });

  app.get('/mcp/secrets', { schema: { tags } }, async () => ({ status: 'success', names: secrets.names() }));
  app.put(
    '/mcp/secrets/:name',
    { schema: { params: contract.SecretParams, body: contract.SecretRequest, tags } },
    async ({ params, body }) => {
      secrets.set(params.name, body.value);
      return { status: 'success', name: params.name };
    },
  );
  app.delete('/mcp/secrets/:name', { schema: { params: contract.SecretParams, tags } }, async ({ params }) => {
    secrets.delete(params.name);
    return { status: 'success', name: params.name };
  });

  app.get('/mcp/doctor', { schema: { tags } }, async () => ({
    status: 'success',
    isolation: { best: isolation.best, available: isolation.tiers },
    programs: programs(),
    bundle_bytes_max: bundleBytesMax,
    servers: described(
      servers
        .list()
        .filter(
          ({ lastError, quarantined, quarantinedOffers, state }) =>
            lastError !== null || quarantined + quarantinedOffers > 0 || state === 'crash_loop',
        ),
      null,
    ),
    plans_waiting: manager.plans().length,
  }));
};
