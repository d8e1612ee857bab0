// Logins at remote MCP servers, by OAuth 2.1 with PKCE: who may use which server is asked of a person in a browser, what comes
// back is kept and renewed. The protocol's library discovers, registers and exchanges; what may be trusted is decided here.
import { randomBytes } from 'node:crypto';
import type { AuthProvider, StoredOAuthTokens } from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import { challengeOf, checkDiscovery, resourceOf, talk } from './authorization-server.js';
import { documentFetch, isConfidential } from './guarded-fetch.js';
import { LoginAttempt, type RedirectTarget } from './login-attempt.js';
import type { PendingLogin, PendingLoginStore } from './pending-login.js';
import { PendingLogins } from './pending-logins.js';
import type { SecretStore } from './ports.js';
import type { GrantStore, RemoteGrant } from './remote-grant.js';
import type { RemoteLaunch } from './server-definition.js';

const ADDRESS_CHARS_MAX = 8_192;
/** Of what came back to us; the names of the fields are the protocol's. */
const RESPONSE_CHARS_MAX = 8_192;

/** Of a renewal: only a new login helps. */
const FINAL_REFUSALS: ReadonlySet<string> = new Set([
  'invalid_grant',
  'invalid_client',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
]);

export interface RemoteAuthorizationsOptions {
  grants: GrantStore;
  /** Logins that nobody has come back from. */
  logins: PendingLoginStore;
  secrets: SecretStore;
  /** Where a browser comes back to; known once we listen. */
  redirect: () => RedirectTarget;
  now: () => number;
}

export interface LoginOptions {
  /** A client that was registered by hand, where the authorization server registers none by itself. */
  clientId?: string | undefined;
  /** Name of a stored secret. */
  clientSecret?: string | undefined;
  scope?: string | undefined;
}

export interface GrantStatus {
  state: 'needed' | 'granted';
  issuer: string | null;
  scope: string | null;
  grantedAt: number | null;
}

export class RemoteAuthorizations {
  readonly #options: RemoteAuthorizationsOptions;
  readonly #logins: PendingLogins;
  readonly #renewals = new Map<string, Promise<void>>();

  constructor(options: RemoteAuthorizationsOptions) {
    this.#options = options;
    this.#logins = new PendingLogins(options.logins, options.now);
  }

  /** Null for a server that never asked. */
  status(server: string, url: string): GrantStatus | null {
    const grant = this.#options.grants.get(server, url);
    if (!grant || (!grant.needed && !grant.tokens)) return null;
    return {
      state: grant.needed ? 'needed' : 'granted',
      issuer: grant.tokens?.issuer ?? grant.discovery?.authorizationServerMetadata?.issuer ?? null,
      scope: grant.tokens?.scope ?? null,
      grantedAt: grant.grantedAt,
    };
  }

  /** What a connection to the server shows, and does when that is refused. */
  provider(server: string, launch: RemoteLaunch): AuthProvider {
    let shown: string | undefined;
    return {
      token: async () => {
        shown = this.#options.grants.get(server, launch.url)?.tokens?.access_token;
        return shown;
      },
      onUnauthorized: async ({ response }) => {
        const challenge = await challengeOf(response);
        const current = this.#options.grants.get(server, launch.url)?.tokens?.access_token;
        // Another connection has renewed it meanwhile.
        if (current !== undefined && current !== shown) return;
        await this.#renew(server, launch, challenge);
      },
    };
  }

  /** The server wants to be allowed more than was asked for. @throws AppError `mcp_authorization_required` always */
  async widen(server: string, launch: RemoteLaunch, response: Response): Promise<void> {
    const { extractWWWAuthenticateParams } = await import('@modelcontextprotocol/client');
    if (extractWWWAuthenticateParams(response).error !== 'insufficient_scope') return;
    const { scope, resourceMetadataUrl } = await challengeOf(response);
    const grant = this.#grant(server, launch);
    const wanted = [grant.challenge.scope, grant.tokens?.scope, scope].flatMap((text) => text?.split(/\s+/) ?? []);
    const union = [...new Set(wanted.filter(Boolean))].join(' ');
    this.#options.grants.put({ ...grant, needed: true, challenge: { scope: union || null, resourceMetadataUrl } });
    throw required(server);
  }

  /**
   * Begins a login; a former one of this server that nobody finished is void.
   * @returns where a person goes with a browser
   * @throws AppError `mcp_authorization_failed`, `forbidden`, `invalid_input`
   */
  async begin(
    server: string,
    launch: RemoteLaunch,
    { clientId, clientSecret, scope }: LoginOptions,
  ): Promise<{ authorizationUrl: string; expiresAt: number }> {
    if (Object.keys({ ...launch.headers, ...launch.secrets }).some((name) => name.toLowerCase() === 'authorization'))
      throw new AppError('conflict', `${server} is sent a stored secret; import it without one to log in.`);
    if (!isConfidential(new URL(launch.url), launch.allowPrivate))
      throw new AppError(
        'invalid_input',
        `${server} is not reached over https; a login there would be read by others.`,
      );
    this.#logins.makeRoom(server);
    const grant = this.#grant(server, launch);
    const redirect = this.#options.redirect();
    const attempt = new LoginAttempt({
      state: randomBytes(32).toString('base64url'),
      redirect,
      known: grant.client && { ...grant.client, information: this.#clientOf(grant) },
      byHand: clientId === undefined ? undefined : { clientId, secret: this.#secret(clientSecret) },
      check: (discovery) => checkDiscovery(discovery, launch),
    });
    const { auth } = await import('@modelcontextprotocol/client');
    const { resourceMetadataUrl } = grant.challenge;
    const wanted = scope ?? grant.challenge.scope ?? undefined;
    await talk(server, launch, (fetchFn) =>
      auth(attempt, {
        serverUrl: launch.url,
        fetchFn,
        forceReauthorization: true,
        ...(wanted === undefined ? {} : { scope: wanted }),
        ...(resourceMetadataUrl === null ? {} : { resourceMetadataUrl: new URL(resourceMetadataUrl) }),
      }),
    );
    const address = attempt.authorizationUrl;
    if (!address || !attempt.discovery || !attempt.client || attempt.verifier === undefined)
      throw new AppError('mcp_authorization_failed', `${server} offers no login.`);
    if (!isConfidential(address, launch.allowPrivate) || address.href.length > ADDRESS_CHARS_MAX)
      throw new AppError('mcp_authorization_failed', `${server} names an address for its login that is none.`);
    const { client_secret: value, ...information } = attempt.client;
    const reference =
      clientId !== undefined
        ? (clientSecret ?? null)
        : attempt.client.client_id === grant.client?.information.client_id
          ? grant.clientSecret
          : null;
    const saved: RemoteGrant = {
      ...grant,
      // The value of a secret that was named stays with the secrets.
      client: {
        information: { ...information, ...(reference === null && value ? { client_secret: value } : {}) },
        redirectUrl: redirect.url,
      },
      clientSecret: reference,
    };
    this.#options.grants.put(saved);
    const expiresAt = this.#logins.begin(attempt.stateText, {
      server,
      url: launch.url,
      allowPrivate: launch.allowPrivate,
      redirectUrl: redirect.url,
      discovery: attempt.discovery,
      verifier: attempt.verifier,
    });
    return { authorizationUrl: address.href, expiresAt };
  }

  /**
   * A browser came back. Its state is used up, whatever else is wrong.
   * @returns the server that can be used now
   * @throws AppError `mcp_authorization_failed`
   */
  async complete(parameters: URLSearchParams): Promise<string> {
    const isTooLong = parameters.toString().length > RESPONSE_CHARS_MAX;
    const pending = isTooLong ? undefined : this.#logins.take(parameters.get('state') ?? '');
    if (!pending)
      throw new AppError(
        'mcp_authorization_failed',
        'This login is unknown, too old or was used already; begin it anew.',
      );
    try {
      return await this.#complete(pending, parameters);
    } finally {
      this.#logins.done(pending);
    }
  }

  async #complete(pending: PendingLogin, parameters: URLSearchParams): Promise<string> {
    const { server, discovery, verifier } = pending;
    const grant = this.#options.grants.get(server, pending.url);
    if (!grant) throw new AppError('mcp_authorization_failed', `The login at ${server} was given up meanwhile.`);
    const client = this.#clientOf(grant);
    const { exchangeAuthorization, validateAuthorizationResponseIssuer } = await import('@modelcontextprotocol/client');
    const metadata = discovery.authorizationServerMetadata;
    const iss = parameters.get('iss') ?? undefined;
    const issuer = metadata?.issuer ?? discovery.authorizationServerUrl;
    const tokens = await talk(server, pending, async (fetchFn) => {
      // Before anything else of the answer is believed.
      validateAuthorizationResponseIssuer({
        iss,
        expectedIssuer: metadata?.issuer,
        issParameterSupported: metadata?.authorization_response_iss_parameter_supported === true,
      });
      const refusal = parameters.get('error');
      if (refusal !== null)
        throw new AppError(
          'mcp_authorization_failed',
          refusal === 'access_denied' ? `The login at ${server} was refused.` : `The login at ${server} failed.`,
        );
      const code = parameters.get('code');
      if (!code) throw new AppError('mcp_authorization_failed', `The login at ${server} brought no code.`);
      return exchangeAuthorization(discovery.authorizationServerUrl, {
        ...(metadata ? { metadata } : {}),
        clientInformation: client,
        authorizationCode: code,
        codeVerifier: verifier,
        redirectUri: pending.redirectUrl,
        fetchFn,
        ...(iss === undefined ? {} : { iss }),
        ...resourceOf(discovery),
      });
    });
    // A logout, a removal or another login meanwhile goes first.
    if (!this.#logins.isWanted(pending))
      throw new AppError('mcp_authorization_failed', `This login at ${server} was given up meanwhile.`);
    this.#keep({ ...grant, discovery, grantedAt: this.#options.now() }, { ...tokens, issuer });
    return server;
  }

  /** Tells the authorization server too, where it listens. @returns whether it did */
  async logOut(server: string): Promise<boolean> {
    const held = this.#options.grants.of(server);
    this.#logins.abandon(server);
    // Ours first: whatever the other side says, nothing here can use it any more.
    for (const grant of held)
      this.#options.grants.put({ ...grant, needed: true, tokens: null, discovery: null, grantedAt: null });
    const told = await Promise.all(held.filter(({ tokens }) => tokens).map((grant) => this.#revoke(grant)));
    return told.length > 0 && told.every(Boolean);
  }

  /** With the server. */
  async forget(server: string): Promise<void> {
    const held = this.#options.grants.of(server);
    this.#logins.abandon(server);
    this.#options.grants.delete(server);
    await Promise.all(held.map((grant) => this.#revoke(grant)));
  }

  /** One at a time: a renewal token is good for one use. */
  #renew(server: string, launch: RemoteLaunch, challenge: RemoteGrant['challenge']): Promise<void> {
    const key = `${server} ${launch.url}`;
    const running = this.#renewals.get(key);
    if (running) return running;
    const renewal = this.#renewOnce(server, launch, challenge).finally(() => this.#renewals.delete(key));
    this.#renewals.set(key, renewal);
    return renewal;
  }

  async #renewOnce(server: string, launch: RemoteLaunch, challenge: RemoteGrant['challenge']): Promise<void> {
    const { grants } = this.#options;
    const grant = this.#grant(server, launch);
    const { tokens, discovery, client } = grant;
    if (!tokens?.refresh_token || !discovery || !client) {
      grants.put({ ...grant, needed: true, tokens: null, challenge });
      throw required(server);
    }
    const { refreshAuthorization, OAuthError } = await import('@modelcontextprotocol/client');
    const metadata = discovery.authorizationServerMetadata;
    try {
      const renewed = await talk(server, launch, (fetchFn) =>
        refreshAuthorization(discovery.authorizationServerUrl, {
          ...(metadata ? { metadata } : {}),
          clientInformation: this.#clientOf(grant),
          refreshToken: tokens.refresh_token as string,
          fetchFn,
          ...resourceOf(discovery),
        }),
      );
      const current = grants.get(server, launch.url);
      if (!current || current.tokens?.refresh_token !== tokens.refresh_token) throw required(server);
      this.#keep(current, { ...tokens, ...renewed });
    } catch (error) {
      const cause = error instanceof AppError ? error.cause : undefined;
      // A server that is away for a while is no reason to ask a person.
      if (!(cause instanceof OAuthError) || !FINAL_REFUSALS.has(cause.code)) throw error;
      const unknownClient = cause.code === 'invalid_client';
      grants.put({ ...grant, needed: true, tokens: null, challenge, ...(unknownClient ? { client: null } : {}) });
      throw required(server, cause);
    }
  }

  #keep(grant: RemoteGrant, tokens: StoredOAuthTokens): void {
    if (tokens.token_type.toLowerCase() !== 'bearer')
      throw new AppError('mcp_authorization_failed', `${grant.server} issues tokens of a kind that is not known.`);
    this.#options.grants.put({
      ...grant,
      needed: false,
      tokens,
      challenge: { ...grant.challenge, scope: null },
    });
  }

  /** @see RFC 7009 */
  async #revoke(grant: RemoteGrant): Promise<boolean> {
    const { tokens, discovery, client } = grant;
    const metadata: Readonly<Record<string, unknown>> = discovery?.authorizationServerMetadata ?? {};
    const endpoint = metadata['revocation_endpoint'];
    const token = tokens?.refresh_token ?? tokens?.access_token;
    if (typeof endpoint !== 'string' || !token || !client) return false;
    const guarded = documentFetch(grant);
    try {
      const { client_id: id, client_secret: secret } = this.#clientOf(grant);
      const answer = await guarded.fetch(endpoint, {
        method: 'POST',
        body: new URLSearchParams({ token, client_id: id, ...(secret ? { client_secret: secret } : {}) }),
      });
      return answer.ok;
    } catch {
      return false;
    } finally {
      await guarded.close();
    }
  }

  #clientOf({ client, clientSecret, server }: RemoteGrant) {
    if (!client) throw required(server);
    const secret = this.#secret(clientSecret ?? undefined);
    return secret === undefined ? client.information : { ...client.information, client_secret: secret };
  }

  #secret(name: string | undefined): string | undefined {
    if (name === undefined) return undefined;
    const value = this.#options.secrets.get(name);
    if (value === undefined)
      throw new AppError('invalid_input', `There is no secret ${name}.`, { details: { secret: name } });
    return value;
  }

  #grant(server: string, { url, allowPrivate }: RemoteLaunch): RemoteGrant {
    const known = this.#options.grants.get(server, url);
    if (known) return { ...known, allowPrivate };
    return {
      server,
      url,
      allowPrivate,
      needed: false,
      challenge: { resourceMetadataUrl: null, scope: null },
      client: null,
      clientSecret: null,
      discovery: null,
      tokens: null,
      grantedAt: null,
    };
  }
}

const required = (server: string, cause?: unknown): AppError =>
  new AppError('mcp_authorization_required', `${server} wants a login: an administrator logs in with a browser.`, {
    cause,
    details: { server },
  });
