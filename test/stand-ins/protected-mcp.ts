// A remote MCP server that wants a login, and the authorization server that grants it, each at an origin of its own. They follow
// the RFCs word for word and refuse what does not; what they do wrong is asked for by name.
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';

export interface Faults {
  /** RFC 9207: what comes back as `iss`; undefined leaves it out. */
  iss?: () => string | undefined;
  /** What stands in its metadata beside or instead of the usual. */
  metadata?: Record<string, unknown>;
  /** What the MCP server says to be. */
  resource?: string;
  /** What the token endpoint answers instead. */
  token?: { status: number; body: unknown };
  /** Before the token endpoint answers. */
  beforeToken?: () => Promise<unknown>;
  /** Where the MCP server sends those who ask. */
  moved?: string;
}

interface Code {
  clientId: string;
  redirectUri: string;
  challenge: string;
  resource: string;
  scope: string;
}

export class ProtectedMcp {
  faults: Faults = {};
  /** Of the tool `write`; anything else is happy with `read`. */
  readonly registered = new Map<string, { redirect_uris: string[]; secret?: string }>();
  readonly revoked: string[] = [];
  /** Each Authorization header that was seen, by where. */
  readonly seen: { at: 'mcp' | 'as'; path: string; authorization: string }[] = [];
  refreshes = 0;
  readonly #tokens = new Map<string, { scope: string; resource: string }>();
  readonly #renewals = new Map<string, { clientId: string; scope: string; resource: string }>();
  readonly #codes = new Map<string, Code>();
  readonly #mcp: Server;
  readonly #as: Server;

  private constructor() {
    const handler = createMcpHandler(() => this.#server());
    this.#mcp = createServer((request, response) => {
      void this.#serveMcp(request, response, handler).catch(() => response.destroy());
    });
    this.#as = createServer((request, response) => {
      void this.#serveAuthorization(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<ProtectedMcp> {
    const own = new ProtectedMcp();
    for (const server of [own.#mcp, own.#as]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return own;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#mcp.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#as.address() as AddressInfo).port}`;
  }

  /** As if all of them had run out. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  forgetRenewals(): void {
    this.#renewals.clear();
  }

  async close(): Promise<void> {
    for (const server of [this.#mcp, this.#as]) {
      server.closeAllConnections();
      server.close();
    }
  }

  #server(): McpServer {
    const server = new McpServer({ name: 'protected', version: '1' });
    const inputSchema = fromJsonSchema<{ text: string }>({
      type: 'object',
      properties: { text: { type: 'string' } },
      required: ['text'],
    });
    for (const name of ['read', 'write'])
      server.registerTool(name, { description: name, inputSchema }, ({ text }) => ({
        content: [{ type: 'text', text: `${name} ${text}` }],
      }));
    return server;
  }

  async #serveMcp(
    request: IncomingMessage,
    response: ServerResponse,
    handler: ReturnType<typeof createMcpHandler>,
  ): Promise<void> {
    const path = request.url ?? '';
    this.#note('mcp', request);
    if (path === '/.well-known/oauth-protected-resource/mcp')
      return json(response, 200, {
        resource: this.faults.resource ?? this.url,
        authorization_servers: [this.issuer],
        scopes_supported: ['read'],
      });
    if (this.faults.moved) {
      response.writeHead(307, { location: this.faults.moved }).end();
      return;
    }
    if (path !== '/mcp') return json(response, 404, {});
    const metadata = `resource_metadata="${this.origin}/.well-known/oauth-protected-resource/mcp"`;
    const token = this.#tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
    if (!token || token.resource !== this.url)
      return json(response, 401, {}, { 'www-authenticate': `Bearer ${metadata}, scope="read"` });
    const body = await textOf(request);
    if (/"name":"write"/.test(body) && !token.scope.split(' ').includes('write'))
      return json(
        response,
        403,
        {},
        {
          'www-authenticate': `Bearer error="insufficient_scope", scope="write", ${metadata}`,
        },
      );
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const answer = await handler.fetch(
      new Request(this.url, { method: request.method ?? 'GET', headers, ...(body ? { body } : {}) }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body) Readable.fromWeb(answer.body as never).pipe(response);
    else response.end();
  }

  async #serveAuthorization(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer);
    this.#note('as', request);
    if (url.pathname === '/.well-known/oauth-authorization-server')
      return json(response, 200, {
        issuer: this.issuer,
        authorization_endpoint: `${this.issuer}/authorize`,
        token_endpoint: `${this.issuer}/token`,
        registration_endpoint: `${this.issuer}/register`,
        revocation_endpoint: `${this.issuer}/revoke`,
        response_types_supported: ['code'],
        grant_types_supported: ['authorization_code', 'refresh_token'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none', 'client_secret_post'],
        authorization_response_iss_parameter_supported: true,
        ...this.faults.metadata,
      });
    if (url.pathname === '/register' && request.method === 'POST') return this.#register(request, response);
    if (url.pathname === '/authorize') {
      this.#authorize(url, response);
      return;
    }
    if (url.pathname === '/token' && request.method === 'POST') return this.#token(request, response);
    if (url.pathname === '/revoke' && request.method === 'POST') {
      const token = new URLSearchParams(await textOf(request)).get('token') ?? '';
      this.revoked.push(token);
      this.#renewals.delete(token);
      return json(response, 200, {});
    }
    return json(response, 404, {});
  }

  async #register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wanted = JSON.parse(await textOf(request)) as { redirect_uris?: string[] };
    if (!wanted.redirect_uris?.length) return json(response, 400, { error: 'invalid_redirect_uri' });
    const clientId = randomUUID();
    this.registered.set(clientId, { redirect_uris: wanted.redirect_uris });
    return json(response, 201, { ...wanted, client_id: clientId });
  }

  /** The person says yes at once. */
  #authorize({ searchParams: asked }: URL, response: ServerResponse): unknown {
    const clientId = asked.get('client_id') ?? '';
    const redirectUri = asked.get('redirect_uri') ?? '';
    const known = this.registered.get(clientId)?.redirect_uris.includes(redirectUri) || clientId.startsWith('https://');
    if (!known) return json(response, 400, { error: 'invalid_client' });
    const challenge = asked.get('code_challenge') ?? '';
    if (asked.get('response_type') !== 'code' || asked.get('code_challenge_method') !== 'S256' || challenge === '')
      return json(response, 400, { error: 'invalid_request' });
    const code = randomUUID();
    const resource = asked.get('resource') ?? '';
    this.#codes.set(code, { clientId, redirectUri, challenge, resource, scope: asked.get('scope') ?? '' });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.get('state') ?? '');
    const iss = this.faults.iss ? this.faults.iss() : this.issuer;
    if (iss !== undefined) back.searchParams.set('iss', iss);
    return response.writeHead(302, { location: back.href }).end();
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URLSearchParams(await textOf(request));
    const { token, beforeToken } = this.faults;
    await beforeToken?.();
    if (token) return json(response, token.status, token.body);
    const clientId = asked.get('client_id') ?? '';
    const client = this.registered.get(clientId);
    if (!client && !clientId.startsWith('https://')) return json(response, 401, { error: 'invalid_client' });
    if (client?.secret !== undefined && asked.get('client_secret') !== client.secret)
      return json(response, 401, { error: 'invalid_client' });
    if (asked.get('grant_type') === 'refresh_token') {
      const old = asked.get('refresh_token') ?? '';
      const held = this.#renewals.get(old);
      // Each is good for one use.
      this.#renewals.delete(old);
      if (!held || held.clientId !== clientId || asked.get('resource') !== held.resource)
        return json(response, 400, { error: 'invalid_grant' });
      this.refreshes += 1;
      return this.#issue(response, held);
    }
    const code = this.#codes.get(asked.get('code') ?? '');
    this.#codes.delete(asked.get('code') ?? '');
    const verifier = asked.get('code_verifier') ?? '';
    const right =
      code &&
      code.clientId === clientId &&
      code.redirectUri === asked.get('redirect_uri') &&
      code.resource === asked.get('resource') &&
      createHash('sha256').update(verifier).digest('base64url') === code.challenge;
    if (!right) return json(response, 400, { error: 'invalid_grant' });
    return this.#issue(response, { clientId, scope: code.scope, resource: code.resource });
  }

  #issue(response: ServerResponse, held: { clientId: string; scope: string; resource: string }): void {
    const access = `access-${randomUUID()}`;
    const renewal = `renewal-${randomUUID()}`;
    this.#tokens.set(access, held);
    this.#renewals.set(renewal, held);
    json(response, 200, {
      access_token: access,
      token_type: 'Bearer',
      expires_in: 3_600,
      refresh_token: renewal,
      scope: held.scope,
    });
  }

  #note(at: 'mcp' | 'as', { url, headers }: IncomingMessage): void {
    if (headers.authorization) this.seen.push({ at, path: url ?? '', authorization: headers.authorization });
  }
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text;
}
