// One login from its beginning to the browser's return, as the protocol's library wants it told. What of it outlives a restart
// is a PendingLogin.
import type {
  OAuthClientInformationContext,
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
} from '@modelcontextprotocol/client';
import type { RemoteGrant } from './remote-grant.js';

/** Where a browser comes back to. */
export interface RedirectTarget {
  url: string;
  /** Where authorization servers can read who we are; only for a server that the internet can reach. */
  clientMetadataUrl: string | undefined;
}

/** Who we are, as it is registered or published. @see RFC 7591 */
export const clientMetadata = (redirectUrl: string): OAuthClientMetadata => ({
  client_name: 'Venom',
  redirect_uris: [redirectUrl],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
});

export interface LoginAttemptOptions {
  state: string;
  redirect: RedirectTarget;
  /** As we are known there since the last login. */
  known: RemoteGrant['client'];
  byHand: { clientId: string; secret: string | undefined } | undefined;
  /** Throws for an authorization server that is not used. */
  check: (discovery: OAuthDiscoveryState) => void;
}

export class LoginAttempt implements OAuthClientProvider {
  readonly stateText: string;
  readonly redirectUrl: string;
  readonly clientMetadataUrl?: string;
  client: StoredOAuthClientInformation | undefined;
  discovery: OAuthDiscoveryState | undefined;
  verifier: string | undefined;
  authorizationUrl: URL | undefined;
  readonly #check: LoginAttemptOptions['check'];

  constructor({ state, redirect, known, byHand, check }: LoginAttemptOptions) {
    this.stateText = state;
    this.redirectUrl = redirect.url;
    if (redirect.clientMetadataUrl !== undefined) this.clientMetadataUrl = redirect.clientMetadataUrl;
    this.#check = check;
    if (byHand)
      this.client = { client_id: byHand.clientId, ...(byHand.secret ? { client_secret: byHand.secret } : {}) };
    // One that was registered with another address to come back to would be refused.
    else if (known?.redirectUrl === redirect.url) this.client = known.information;
  }

  get clientMetadata(): OAuthClientMetadata {
    return clientMetadata(this.redirectUrl);
  }

  state(): string {
    return this.stateText;
  }

  /** One that was registered by hand belongs to the authorization server it was first used at. */
  clientInformation(context?: OAuthClientInformationContext): StoredOAuthClientInformation | undefined {
    if (this.client && this.client.issuer === undefined && context)
      this.client = { ...this.client, issuer: context.issuer };
    return this.client;
  }

  saveClientInformation(information: StoredOAuthClientInformation): void {
    this.client = information;
  }

  /** A login asks for new ones, whatever there was. */
  tokens(): undefined {
    return undefined;
  }

  saveTokens(): void {}

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovery;
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#check(discovery);
    this.discovery = discovery;
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  codeVerifier(): string {
    return this.verifier ?? '';
  }

  redirectToAuthorization(address: URL): void {
    this.authorizationUrl = address;
  }
}
