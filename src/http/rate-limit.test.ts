import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { installRateLimit, TokenBuckets } from './rate-limit.js';

describe('TokenBuckets', () => {
  it('lets a burst through, then one per interval, and says how long to wait', () => {
    const buckets = new TokenBuckets();
    expect([0, 1, 2].map(() => buckets.take('a', 2, 0.5, 0))).toEqual([0, 0, 2]);
    expect(buckets.take('b', 2, 0.5, 0)).toBe(0);
    expect(buckets.take('a', 2, 0.5, 1_000)).toBe(1);
    expect(buckets.take('a', 2, 0.5, 2_000)).toBe(0);
    expect(buckets.take('a', 2, 0.5, 2_000)).toBe(2);
  });

  it('has an end for how many clients it remembers: who was not seen for longest begins anew', () => {
    const buckets = new TokenBuckets();
    for (const expected of [0, 0, 2]) expect(buckets.take('first', 2, 0.5, 0)).toBe(expected);
    for (let client = 0; client < 10_000; client += 1) buckets.take(`client ${client}`, 2, 0.5, 0);
    expect(buckets.take('first', 2, 0.5, 0)).toBe(0);
  });

  it('saves up no more than a burst, however long nobody asked', () => {
    const buckets = new TokenBuckets();
    buckets.take('a', 2, 0.5, 0);
    expect([0, 1, 2].map(() => buckets.take('a', 2, 0.5, 3_600_000))).toEqual([0, 0, 2]);
  });
});

describe('installRateLimit', () => {
  const build = (loopback: boolean) => {
    const app = Fastify();
    installRateLimit(app, { burst: 2, perSecond: 0.5, loopback });
    for (const path of ['/api/v1/models', '/api/v1/memory/session/x', '/v1/models', '/openapi.json'])
      app.get(path, async () => 'ok');
    return app;
  };

  it('answers in the shape of the contract, each group and each client for itself', async () => {
    const app = build(true);
    const get = (url: string, headers = {}) => app.inject({ url, headers });
    for (const expected of [200, 200, 429]) expect((await get('/api/v1/models')).statusCode).toBe(expected);
    const refused = await get('/api/v1/models');
    expect(refused.json()).toEqual({
      error: 'rate_limit_exceeded',
      message: expect.any(String),
      retry_after_seconds: 2,
    });
    expect(refused.headers['retry-after']).toBe('2');
    expect((await get('/api/v1/models', { 'x-actor': 'somebody' })).statusCode).toBe(200);
    expect((await get('/api/v1/memory/session/x')).statusCode).toBe(200);
    expect((await get('/api/v1/memory/session/x')).statusCode).toBe(429);
    for (const expected of [200, 200]) expect((await get('/v1/models')).statusCode).toBe(expected);
    expect((await get('/v1/models')).json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
    for (let n = 0; n < 4; n += 1) expect((await get('/openapi.json')).statusCode).toBe(200);
  });

  it('leaves clients on this machine alone unless told otherwise', async () => {
    const app = build(false);
    for (let n = 0; n < 5; n += 1) expect((await app.inject('/api/v1/models')).statusCode).toBe(200);
  });
});
