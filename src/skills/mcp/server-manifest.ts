// What a connected server is: asked once it is there, and merged with what is known and agreed to of it.
import { AppError } from '../../shared/errors.js';
import type { Permission } from '../ports.js';
import type { McpConnection } from './mcp-connection.js';
import {
  instructionsOffer,
  type ListedOffers,
  mergeOffers,
  type OfferDefinition,
  promptOffer,
  resourceOffer,
  templateOffer,
} from './offers.js';
import type { ServerManifest, ToolDefinition } from './server-definition.js';
import { mergeTools } from './tool-inventory.js';

/** An old verdict never corrects itself: a server that has become modern still answers the old way. */
export const ERA_KNOWN_MS = 7 * 86_400_000;
/** A server that hangs over what is not a tool is of use all the same. */
const OFFERS_MS = 5_000;

export interface ManifestRequest {
  /** Nobody has looked yet: what is there is what was agreed to. */
  approveAll: boolean;
  trusted: boolean;
}

/** @throws AppError `mcp_protocol` and as the connection does */
export async function manifestOf(
  connection: McpConnection,
  known: ServerManifest | null,
  now: number,
  { approveAll, trusted }: ManifestRequest,
): Promise<ServerManifest> {
  const listed = await listTools(connection);
  const offers = await listOffers(connection);
  const { era } = connection;
  return {
    era,
    ...(connection.wire ? { wire: connection.wire } : {}),
    protocolVersion: connection.protocolVersion,
    discover: connection.discovered,
    eraAt: known && known.era === era && now - known.eraAt < ERA_KNOWN_MS ? known.eraAt : now,
    serverInfo: connection.serverInfo,
    capabilities: connection.capabilities,
    tools: mergeTools(known?.tools ?? [], listed, { approveAll, permissionOf: permissionFor(trusted) }),
    // Of a server that was imported before they were kept, they count as agreed to as they are first seen.
    offers: mergeOffers(known?.offers ?? [], offers, { approveAll: approveAll || known?.offers === undefined }),
    listedAt: now,
  };
}

async function listTools(connection: McpConnection): Promise<readonly Readonly<Record<string, unknown>>[]> {
  try {
    return connection.capabilities.tools ? (await connection.listTools()).tools : [];
  } catch (error) {
    const { ProtocolError } = await import('@modelcontextprotocol/client');
    if (error instanceof ProtocolError)
      throw new AppError(
        'mcp_protocol',
        `${connection.server} does not list its tools: ${error.message.slice(0, 200)}`,
      );
    throw error;
  }
}

async function listOffers(connection: McpConnection): Promise<ListedOffers> {
  const { capabilities, instructions } = connection;
  const limits = { idleTimeoutMs: OFFERS_MS };
  const [prompt, resource, template] = await Promise.all([
    listed(capabilities.prompts, async () =>
      (await connection.listPrompts(undefined, limits)).prompts.map((each) => promptOffer(each)),
    ),
    listed(capabilities.resources, async () =>
      (await connection.listResources(undefined, limits)).resources.map((each) => resourceOffer(each)),
    ),
    listed(capabilities.resources, async () =>
      (await connection.listResourceTemplates(undefined, limits)).resourceTemplates.map((each) => templateOffer(each)),
    ),
  ]);
  return {
    prompt,
    resource,
    resource_template: template,
    instructions: instructions ? [instructionsOffer(instructions)] : [],
  };
}

/** Null where it could not be found out. */
async function listed(
  capability: object | undefined,
  ask: () => Promise<OfferDefinition[]>,
): Promise<OfferDefinition[] | null> {
  if (!capability) return [];
  try {
    return await ask();
  } catch (error) {
    const { ProtocolError } = await import('@modelcontextprotocol/client');
    // Some that have resources know no templates.
    if (error instanceof ProtocolError) return [];
    if (error instanceof AppError && (error.code === 'mcp_timeout' || error.code === 'mcp_protocol')) return null;
    throw error;
  }
}

const permissionFor =
  (trusted: boolean) =>
  (definition: ToolDefinition): Permission =>
    trusted && definition.annotations?.['readOnlyHint'] === true ? 'always' : 'ask';
