// Who may ask: Host and Origin on every route, an API key where one is set. The one place that reads credentials.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback } from '../config/config.js';
import { AppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import { requestPath } from './request-path.js';
import { isForUsers } from './roles.js';
import type { UserGrants } from './user-grants.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without the key. */
    open?: boolean;
  }
  interface FastifyInstance {
    /** Every route there is, as `METHOD url`. */
    routeNames: readonly string[];
  }
  interface FastifyRequest {
    /** Holds the administrator's key; where none is set, sits at this machine. */
    administrator: boolean;
    /** One name per user's key, so that what belongs to one is not another's. */
    caller: string;
    /** Whose what is made here becomes, and whose things may be seen; null is the house, which sees everything. */
    owner: Owner;
  }
}

export interface GuardOptions {
  /** The administrator's. */
  apiKey: string;
  /** Keys that may do what `roles.ts` names. */
  userApiKeys: readonly string[];
  /** What these may do beyond it. */
  grants?: Pick<UserGrants, 'mayAsk'>;
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  /** The address the server was told to listen on. */
  host: string;
}

// Ports of the original's UI, which runs beside the server.
const UI_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1):(3000|3100)$/;

export function installGuard(app: FastifyInstance, options: GuardOptions): void {
  const hosts = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
  const origins = new Set(options.allowedOrigins);
  const wanted = options.apiKey ? digest(options.apiKey) : undefined;
  const users = options.userApiKeys.map(digest);

  const routes: string[] = [];
  app.decorate('routeNames', routes);
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push(`${one} ${url}`);
  });
  app.decorateRequest('administrator', false);
  app.decorateRequest('caller', 'guest');
  app.decorateRequest('owner', null);
  // Callbacks rather than promises, as every hook that runs for every request.
  app.addHook('onRequest', (request, reply, done) => {
    const host = (request.headers.host ?? '').toLowerCase();
    const name = hostName(host);
    if (
      !isLoopback(name) &&
      !hosts.has(host) &&
      !hosts.has(name) &&
      !(options.host !== '0.0.0.0' && options.host !== '::' && name === options.host.toLowerCase())
    ) {
      throw new AppError('forbidden_host', 'This Host is not allowed; add it to VENOM_ALLOWED_HOSTS.');
    }
    const origin = request.headers.origin;
    if (origin !== undefined) {
      const own = origin === `http://${host}` || origin === `https://${host}`;
      const friend = UI_ORIGIN.test(origin) || origins.has(origin);
      if (!own && !friend)
        throw new AppError(
          'forbidden_origin',
          'Pages of this origin may not use this server; add it to VENOM_ALLOWED_ORIGINS.',
        );
      if (friend && !own) {
        reply.header('access-control-allow-origin', origin);
        reply.header('access-control-allow-credentials', 'true');
        reply.header(
          'access-control-expose-headers',
          requestPath(request).startsWith('/mcp')
            ? 'x-request-id, x-session-id, mcp-session-id, mcp-protocol-version'
            : 'x-request-id, x-session-id',
        );
        reply.header('vary', 'Origin');
      }
    }
    if (request.method === 'OPTIONS' && origin !== undefined) {
      reply.header('access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS');
      reply.header('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*');
      reply.header('access-control-max-age', '600');
      reply.status(204).send();
      return;
    }
    const presented = presentedKey(request);
    const known = wanted !== undefined && timingSafeEqual(digest(presented), wanted);
    request.administrator = wanted ? known : isLocal(request.socket.remoteAddress ?? '');
    if (request.administrator) request.caller = 'administrator';
    if (wanted && !known && needsKey(request)) {
      // All of them are looked at, whichever fits.
      const user = users.filter((key) => timingSafeEqual(digest(presented), key)).length > 0;
      if (user) request.caller = request.owner = ownerOfKey(presented);
      if (
        user &&
        isForUsers(
          request.method,
          request.routeOptions.url,
          (url) => options.grants?.mayAsk(request.caller, url) ?? false,
        )
      )
        return done();
      if (user)
        throw new AppError('forbidden', "This needs the administrator's key; yours is for chat, memory and reading.");
      reply.header('www-authenticate', presented === '' ? 'Bearer' : 'Bearer error="invalid_token"');
      throw new AppError('unauthorized', 'This server needs its API key, as a Bearer token or in x-api-key.');
    }
    return done();
  });
}

// Closed, unless the route the router found says that it is open: an address can be written in more ways than one. The
// page itself holds no secret and must be able to ask for the key. Where the API is, what leads nowhere is closed too, so
// that nobody learns which of its addresses exist.
function needsKey(request: FastifyRequest): boolean {
  if (!request.is404 && !request.routeOptions.config.open) return true;
  return /^\/(api|v1|ws|mcp)(\/|$)/.test(request.url.split('?', 1)[0] ?? '');
}

function presentedKey(request: FastifyRequest): string {
  const header = request.headers.authorization ?? '';
  if (/^bearer /i.test(header)) return header.slice(7).trim();
  // Where Anthropic's client libraries put it.
  const own = request.headers['x-api-key'];
  if (typeof own === 'string' && own !== '') return own;
  // A browser cannot set headers on a WebSocket; the subprotocol is its only place for a key.
  const protocol = request.headers['sec-websocket-protocol'];
  const offered = typeof protocol === 'string' ? protocol.split(',').map((part) => part.trim()) : [];
  return offered.find((part) => part.startsWith('venom-key.'))?.slice('venom-key.'.length) ?? '';
}

/** As the socket says it; an IPv4 address may come in the form of an IPv6 one. */
const isLocal = (address: string): boolean => isLoopback(address.replace(/^::ffff:/i, ''));

/** Of a key of its own length of chance nothing can be told from it. */
export const ownerOfKey = (key: string): string => `user-${digest(key).toString('hex').slice(0, 16)}`;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function hostName(host: string): string {
  if (host.startsWith('[')) return host.slice(0, host.indexOf(']') + 1);
  return host.replace(/:\d+$/, '');
}
