import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestTrace, TraceRepository } from '../ports.js';
import { RequestTracer } from './request-tracer.js';

let rows: Map<string, RequestTrace>;
let writes: number;
let now: number;
let finished: string[];
let tracer: RequestTracer;

const repository: TraceRepository = {
  save(traces) {
    writes += 1;
    for (const trace of traces) rows.set(trace.requestId, structuredClone(trace));
  },
  list: ({ status }) => [...rows.values()].filter((trace) => !status || trace.status === status).reverse(),
  get: (id) => rows.get(id),
  running: () => [...rows.values()].filter(({ status }) => status === 'PROCESSING'),
};
const create = () =>
  new RequestTracer(
    repository,
    { now: () => now },
    {
      lostAfterMs: 300_000,
      isAlive: (id) => id === 'at work',
      onFinished: ({ requestId }) => finished.push(requestId),
    },
  );
const start = (requestId: string, status: 'PENDING' | 'PROCESSING' = 'PROCESSING') =>
  tracer.start({
    requestId,
    status,
    prompt: 'x'.repeat(600),
    sessionId: null,
    provider: 'p',
    model: 'm',
    endpoint: null,
  });

beforeEach(() => {
  rows = new Map();
  writes = 0;
  finished = [];
  now = Date.parse('2026-01-01T00:00:00Z');
  tracer = create();
});
afterEach(() => tracer.close());

describe('RequestTracer', () => {
  it('writes many changes at once', () => {
    for (let index = 0; index < 50; index += 1) {
      start(`r${index}`);
      tracer.step(`r${index}`, 'A', 'b');
      tracer.finish(`r${index}`, 'COMPLETED');
    }
    expect(writes).toBe(0);
    tracer.flush();
    expect(writes).toBe(1);
    expect(rows.size).toBe(50);
    expect(rows.get('r1')).toMatchObject({
      status: 'COMPLETED',
      prompt: `${'x'.repeat(500)}...`,
      finishedAt: '2026-01-01T00:00:00.000Z',
    });
  });

  it('calls a silent request LOST, but not one that shows life, and never one that waits', () => {
    start('silent');
    start('alive');
    start('waiting', 'PENDING');
    now += 200_000;
    tracer.touch('alive');
    now += 150_000;
    tracer.watch();
    expect(tracer.get('silent')).toMatchObject({
      status: 'LOST',
      steps: [{ component: 'Watchdog', action: 'timeout', status: 'error' }],
    });
    expect(tracer.get('alive')?.status).toBe('PROCESSING');
    expect(tracer.get('waiting')?.status).toBe('PENDING');
  });

  it('leaves nothing running of a former process', () => {
    start('old');
    tracer.close();
    tracer = create();
    expect(tracer.closeAbandoned()).toBe(1);
    expect(tracer.list({ limit: 10, offset: 0 })).toMatchObject([{ requestId: 'old', status: 'LOST' }]);
  });

  it('keeps what somebody takes up again open, and opens what has ended', () => {
    start('task');
    tracer.close();
    tracer = create();
    tracer.closeAbandoned(new Set(['task']));
    expect(tracer.get('task')?.status).toBe('PROCESSING');
    tracer.finish('task', 'FAILED', { code: 'interrupted', class: 'x', message: 'x', stage: 'x', retryable: true });
    expect(tracer.reopen('task')).toBe(true);
    expect(tracer.get('task')).toMatchObject({ status: 'PENDING', error: null, finishedAt: null });
    expect(tracer.reopen('unknown')).toBe(false);
  });

  it('tells of an end that was stored though a crash took the trace, or the last second of it', () => {
    start('cut');
    tracer.flush();
    tracer.finish('cut', 'COMPLETED');
    // A crash: what is not flushed is gone.
    tracer = create();
    const end = {
      owner: null,
      sessionId: 's',
      prompt: 'Hi',
      text: 'Hello 🙂',
      status: 'complete' as const,
      error: null,
      model: 'm',
      createdAt: now - 400,
      component: 'SimpleMode',
    };
    expect(tracer.tellEnd({ ...end, requestId: 'cut' })).toBe(true);
    expect(tracer.tellEnd({ ...end, requestId: 'gone' })).toBe(true);
    expect(tracer.tellEnd({ ...end, requestId: 'gone' })).toBe(false);
    const error = { code: 'interrupted', message: 'x' };
    tracer.tellEnd({ ...end, requestId: 'half', status: 'interrupted', error });
    expect(tracer.closeAbandoned()).toBe(0);
    tracer.close();
    expect(rows.get('cut')).toMatchObject({ status: 'COMPLETED', provider: 'p' });
    expect(rows.get('gone')).toMatchObject({
      status: 'COMPLETED',
      prompt: 'Hi',
      createdAt: new Date(now - 400).toISOString(),
      steps: [{ component: 'SimpleMode', action: 'response', details: expect.stringContaining('"Hello 🙂"') }],
    });
    expect(rows.get('half')).toMatchObject({ status: 'LOST', error: { code: 'interrupted' } });
  });

  it('never calls a request LOST that somebody is still at work on, however silent', () => {
    start('at work');
    now += 3_600_000;
    tracer.watch();
    expect(tracer.get('at work')?.status).toBe('PROCESSING');
  });

  it('tells of each end once', () => {
    start('done');
    start('silent');
    tracer.finish('done', 'COMPLETED');
    tracer.finish('done', 'FAILED');
    tracer.finish('unknown', 'COMPLETED');
    now += 400_000;
    tracer.watch();
    expect(finished).toEqual(['done', 'silent']);
  });
});
