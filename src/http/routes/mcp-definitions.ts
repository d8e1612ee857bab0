// /mcp/servers/{name}/definitions: what a server offers beside tools, and a person's yes to its words.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { DefinitionsApproval, ServerParams } from '../../contract/mcp.js';
import { type McpDefinitionItem, McpDefinitionList } from '../../contract/mcp-servers.js';
import { AppError } from '../../shared/errors.js';
import type { McpServers } from '../../skills/mcp/mcp-servers.js';
import { isAgreedOffer, isWaitingOffer, offerChanges, type StoredOffer } from '../../skills/mcp/offers.js';
import type { ToolGrants } from '../../skills/tool-grants.js';

export interface McpDefinitionsOptions {
  servers: McpServers;
  grants: Pick<ToolGrants, 'mayUseServer'>;
}

export const mcpDefinitionsRoutes: FastifyPluginAsyncZod<McpDefinitionsOptions> = async (app, { servers, grants }) => {
  const tags = ['mcp'];
  const answer = (name: string, shown: readonly StoredOffer[]) => {
    const definitions = shown.map(toDefinitionItem);
    return { status: 'success' as const, server: name, definitions, count: definitions.length };
  };

  app.get(
    '/mcp/servers/:name/definitions',
    { schema: { params: ServerParams, response: { 200: McpDefinitionList }, tags } },
    async ({ params: { name }, owner }) => {
      if (!grants.mayUseServer(owner, name))
        throw new AppError('mcp_server_not_found', `There is no MCP server ${name}.`);
      const all = servers.offers(name);
      return answer(name, owner === null ? all : all.filter(isAgreedOffer));
    },
  );
  app.post(
    '/mcp/servers/:name/definitions/approve',
    {
      schema: { params: ServerParams, body: DefinitionsApproval, response: { 200: McpDefinitionList }, tags },
    },
    async ({ params: { name }, body }) => {
      servers.approveOffers(name, body.definitions);
      return answer(name, servers.offers(name));
    },
  );
};

function toDefinitionItem(offer: StoredOffer): z.output<typeof McpDefinitionItem> {
  const { kind, name, label, title, description } = offer.definition;
  return {
    kind,
    name,
    title: title ?? label ?? null,
    description: description ?? '',
    hash: offer.hash,
    approved_hash: offer.approved?.hash ?? null,
    state: offer.gone ? 'gone' : offer.refused ? 'refused' : isAgreedOffer(offer) ? 'approved' : 'quarantined',
    refused: offer.refused,
    changes: isWaitingOffer(offer) ? offerChanges(offer) : [],
  };
}
