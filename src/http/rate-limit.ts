// How often one client may ask: a token bucket per group of endpoints and client, as the contract draws the groups.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback } from '../config/config.js';
import { requestPath } from './request-path.js';
import { vendorError } from './vendor-errors.js';

const GROUPS = ['models', 'system', 'memory', 'agents', 'knowledge', 'workflow', 'governance'] as const;
const FREE = new Set(['/health', '/api/v1/status', '/openapi.json']);
const CLIENTS_KEPT = 10_000;
const CLIENT_NAME_CHARS = 200;

export interface RateLimitOptions {
  /** Requests a client may make at once; 0 = no limit. */
  burst: number;
  /** Requests per second that are given back. */
  perSecond: number;
  /** Whether clients on this machine are counted too. */
  loopback: boolean;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Pure but for its own memory, so that time can be passed in. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  /** 0 when the request may pass, else the seconds until the next one may. */
  take(key: string, burst: number, perSecond: number, nowMs: number): number {
    const former = this.#buckets.get(key);
    const tokens = former ? Math.min(burst, former.tokens + ((nowMs - former.at) / 1_000) * perSecond) : burst;
    // Put last again, so that the first in the map is always the longest unseen.
    this.#buckets.delete(key);
    if (this.#buckets.size >= CLIENTS_KEPT) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: nowMs });
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }
}

export function installRateLimit(app: FastifyInstance, options: RateLimitOptions): void {
  if (options.burst === 0) return;
  const buckets = new TokenBuckets();
  app.addHook('onRequest', (request, reply, done) => {
    const path = requestPath(request);
    if (FREE.has(path) || path.startsWith('/docs') || request.method === 'OPTIONS') return done();
    if (!options.loopback && isLoopback(request.ip)) return done();
    const group = groupOf(path);
    // The contract gives memory half of what the others have.
    const share = group === 'memory' ? 0.5 : 1;
    const wait = buckets.take(
      `${group}|${clientOf(request)}`,
      Math.max(1, options.burst * share),
      options.perSecond * share,
      performance.now(),
    );
    if (wait === 0) return done();
    const message = `Too many requests; try again in ${wait} s.`;
    reply.status(429).header('retry-after', String(wait));
    const failure = { status: 429, code: 'rate_limit_exceeded', message, param: null, requestId: request.id };
    const vendors = vendorError(path, failure);
    if (vendors) reply.send(vendors.body);
    else reply.send({ error: 'rate_limit_exceeded', message, retry_after_seconds: wait });
  });
}

function groupOf(path: string): string {
  const name = /^\/api\/v1\/([a-z]+)/.exec(path)?.[1];
  return GROUPS.find((group) => group === name) ?? 'default';
}

function clientOf(request: FastifyRequest): string {
  for (const name of ['x-actor', 'x-user-id', 'x-session-id']) {
    const value = request.headers[name];
    // With the address, so that nobody can use up somebody else's bucket by taking their name.
    if (typeof value === 'string' && value) return `${request.ip}|${value.slice(0, CLIENT_NAME_CHARS)}`;
  }
  return request.ip;
}
