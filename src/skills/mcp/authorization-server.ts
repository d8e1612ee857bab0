// What remote servers and their authorization servers say about a login, and what of it is believed. Failures get our codes.
import type { OAuthDiscoveryState } from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import { documentFetch, isConfidential } from './guarded-fetch.js';
import type { RemoteGrant } from './remote-grant.js';
import type { RemoteLaunch } from './server-definition.js';

/** What a refusal asks for; nothing of it is believed before it was looked at. */
export async function challengeOf(response: Response): Promise<RemoteGrant['challenge']> {
  const { extractWWWAuthenticateParams } = await import('@modelcontextprotocol/client');
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
  return {
    resourceMetadataUrl: resourceMetadataUrl?.href.slice(0, 2_000) ?? null,
    scope: scope !== undefined && /^[\x21\x23-\x5b\x5d-\x7e ]{1,1000}$/.test(scope) ? scope : null,
  };
}

/** The same resource in each request, as the server itself names it. @see RFC 8707 */
export const resourceOf = ({ resourceMetadata }: OAuthDiscoveryState) =>
  resourceMetadata ? { resource: resourceMetadata.resource } : {};

/** @throws AppError `mcp_authorization_failed` for an authorization server that cannot be used safely */
export function checkDiscovery(
  { authorizationServerMetadata: metadata }: OAuthDiscoveryState,
  launch: RemoteLaunch,
): void {
  if (!metadata) return;
  const refuse = (why: string): never => {
    throw new AppError('mcp_authorization_failed', `Its authorization server cannot be used: ${why}.`);
  };
  if (!metadata.code_challenge_methods_supported?.includes('S256')) refuse('it does not support PKCE');
  for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'registration_endpoint'] as const) {
    const address = metadata[name];
    if (address === undefined) continue;
    if (!URL.canParse(address) || !isConfidential(new URL(address), launch.allowPrivate))
      refuse(`its ${name.replaceAll('_', ' ')} is not reached over https`);
  }
}

/** With failures under our codes; what the other side said is kept for the log, shortened, and never shown whole. */
export async function talk<T>(
  server: string,
  { allowPrivate }: Pick<RemoteLaunch, 'allowPrivate'>,
  work: (fetchFn: typeof fetch) => Promise<T>,
): Promise<T> {
  const guarded = documentFetch({ allowPrivate });
  try {
    return await work(guarded.fetch);
  } catch (error) {
    for (let next = error, depth = 0; next instanceof Error && depth < 5; next = next.cause, depth += 1)
      if (next instanceof AppError) throw next;
    const reason = await reasonOf(error);
    throw new AppError('mcp_authorization_failed', `The login at ${server} failed: ${reason}.`, { cause: error });
  } finally {
    await guarded.close();
  }
}

async function reasonOf(error: unknown): Promise<string> {
  const sdk = await import('@modelcontextprotocol/client');
  if (error instanceof sdk.IssuerMismatchError)
    return error.kind === 'metadata'
      ? 'its authorization server calls itself by another name'
      : 'the answer came from another authorization server than was asked';
  if (error instanceof sdk.RegistrationRejectedError)
    return error.status === 404
      ? 'its authorization server registers no clients; register one by hand and name its client id'
      : `its authorization server did not register us (${error.status})`;
  if (error instanceof sdk.InsecureTokenEndpointError) return 'its token endpoint is not reached over https';
  if (error instanceof sdk.OAuthError && /^[a-z_]{1,60}$/.test(error.code))
    return `its authorization server answered ${error.code}`;
  if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError'))
    return 'its authorization server cannot be reached';
  if (error instanceof Error && /does not match expected/.test(error.message))
    return 'it says to be another resource than the one that was imported';
  return 'what it says about its login cannot be understood';
}
