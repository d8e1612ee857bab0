// What a person let Venom do at a remote MCP server: bound to that server's name and address, and to the authorization
// server that issued it. Data only.
import type {
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

export interface RemoteGrant {
  server: string;
  /** Of the MCP server. Another address is another grant, whatever the name. */
  url: string;
  /** An administrator said that it may lie in a private network. */
  allowPrivate: boolean;
  /** Nobody can use the server before a person has logged in, again or for the first time. */
  needed: boolean;
  /** What the server said it wants, when it last refused. */
  challenge: { resourceMetadataUrl: string | null; scope: string | null };
  /** How we are known at the authorization server, and with which address logins come back. */
  client: { information: StoredOAuthClientInformation; redirectUrl: string } | null;
  /** Name of the stored secret of a client that was registered by hand; its value is kept with the secrets alone. */
  clientSecret: string | null;
  discovery: OAuthDiscoveryState | null;
  tokens: StoredOAuthTokens | null;
  grantedAt: number | null;
}

/** Grants on disk. Tokens leave it only for the server they are for and the authorization server that issued them. */
export interface GrantStore {
  get(server: string, url: string): RemoteGrant | undefined;
  /** On disk when it returns. @throws AppError `store_unavailable` */
  put(grant: RemoteGrant): void;
  /** Whatever addresses the server had. */
  delete(server: string): void;
  of(server: string): RemoteGrant[];
}
