// A router that is mistaken must not be enough for anything to leave: the chain is forced here, against the real gate and
// clouds that record every byte.
import type { LanguageModelV4Prompt, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeCloud, GOOGLE_KEY, OPENAI_KEY, startFakeCloud } from '../../test/api/fake-cloud.js';
import type { ChatTarget } from '../chat/turn-ports.js';
import { ExitGate } from '../runtimes/cloud/exit-gate.js';
import { AppError } from '../shared/errors.js';
import { Budgets } from './budgets.js';
import type { RouteStep, RoutingDecision } from './decision.js';
import type { CloudProvider } from './policy.js';
import { ProviderRest } from './provider-rest.js';
import { RoutedAnswer } from './routed-answer.js';

const CANARY = 'DE89370400440532013000';
const openai: RouteStep = { target: 'cloud', provider: 'openai', model: 'gpt-4o', endpoint: 'x' };
const google: RouteStep = { target: 'cloud', provider: 'google', model: 'gemini-1.5-pro', endpoint: 'x' };
const local: RouteStep = { target: 'local', provider: 'ollama', model: 'phi3', endpoint: null };

let cloud: FakeCloud;
let gate: ExitGate;
let settled: number[];
let waits: number[];

beforeEach(async () => {
  cloud = await startFakeCloud();
  settled = [];
  waits = [];
  const keys: Record<CloudProvider, string> = { openai: OPENAI_KEY, google: GOOGLE_KEY, 'cloud-compatible': '' };
  gate = new ExitGate({
    keys: { get: (provider) => keys[provider] },
    endpoints: { openai: `${cloud.origin}/v1`, google: `${cloud.origin}/v1beta`, 'cloud-compatible': '' },
    sensitivity: { localOnly: true, masking: true, imagesMayLeave: false, options: {} },
    connectTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
  });
});
afterEach(async () => {
  await gate.close();
  await cloud.close();
});

const budgets = () =>
  new Budgets({
    limits: {
      softPerDayUsd: 0,
      hardPerDayUsd: 0,
      softPerMonthUsd: 0,
      hardPerMonthUsd: 0,
      requestsPerMinute: 0,
      tokensPerMinute: 0,
    },
    repository: {
      totals: () => ({ dayUsd: 0, monthUsd: 0, requests: 0, tokens: 0 }),
      reserve: () => null,
      settle: (_id, costUsd) => settled.push(costUsd),
    },
    now: Date.now,
    newId: () => 'id',
  });

function answer(
  chain: RouteStep[],
  changes: { masking?: boolean; labels?: readonly string[]; local?: () => never; rest?: ProviderRest } = {},
) {
  const first = chain[0] as RouteStep;
  const decision = {
    ...first,
    chain,
    reasonCode: 'user_preference',
    reason: '',
    tier: 'high',
  } as unknown as RoutingDecision;
  const identity = { ...first, runtimeId: 'r', configHash: 'h' };
  return new RoutedAnswer({
    decision,
    identity,
    local: null,
    localTarget: async () =>
      ({
        ...identity,
        stream: async () => {
          changes.local?.();
          return (async function* () {
            yield [{ type: 'text-delta', id: 't', delta: 'house' }] as LanguageModelV4StreamPart[];
          })();
        },
      }) as ChatTarget,
    exit: gate,
    budgets: budgets(),
    rest: changes.rest ?? new ProviderRest(Date.now),
    price: () => ({ inputPer1k: 1, outputPer1k: 1 }),
    sensitivity: { localOnly: true, masking: changes.masking ?? false, imagesMayLeave: false, options: {} },
    labels: changes.labels ?? [],
    wait: async (ms) => {
      waits.push(ms);
    },
  });
}

const says = (text: string, earlier?: string): LanguageModelV4Prompt => [
  { role: 'system', content: 'Help.' },
  ...(earlier ? [{ role: 'user' as const, content: [{ type: 'text' as const, text: earlier }] }] : []),
  { role: 'user', content: [{ type: 'text', text }] },
];

async function read(routed: RoutedAnswer, prompt: LanguageModelV4Prompt): Promise<string> {
  let text = '';
  for await (const batch of await routed.stream({ prompt }))
    for (const part of batch) if (part.type === 'text-delta') text += part.delta;
  return text;
}

const refuses =
  (status: number, retryAfter?: string): FakeCloud['fault'] =>
  (_request, response) => {
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
    response.end();
    return true;
  };

describe('RoutedAnswer', () => {
  it.each([
    ['in the question', says(`Pay to ${CANARY}`), []],
    ['in an earlier message', says('Hello', `Pay to ${CANARY}`), []],
    ['by a label only', says('Hello'), ['iban']],
  ])('asks no cloud of a mistaken chain what is sensitive %s', async (_where, prompt, labels) => {
    const routed = answer([openai, google, local], { labels });
    expect(await read(routed, prompt)).toBe('house');
    expect(routed.receipt()).toMatchObject({
      decision: { target: 'local', reasonCode: 'sensitive_content_override' },
      attempts: [
        { provider: 'openai', bytesSent: 0, error: 'sensitive_blocked' },
        { provider: 'google', bytesSent: 0, error: 'sensitive_blocked' },
        { provider: 'ollama', outcome: 'ok' },
      ],
    });
    expect(cloud.everything()).toBe('');
    await expect(read(answer([openai], { labels }), prompt)).rejects.toMatchObject({ code: 'sensitive_blocked' });
    expect(cloud.everything()).toBe('');
  });

  it('lets no sensitive byte out, whatever the chain, the faults and the masking', async () => {
    const steps = fc.array(fc.constantFrom(openai, google, local), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.boolean(),
        fc.constantFrom([], ['iban'], ['sensitive_word'], ['unheard of']),
        fc.constantFrom(0, 429, 500, 401),
        fc.constantFrom('question', 'earlier'),
        async (chain, masking, labels, fault, where) => {
          cloud.fault = fault === 0 ? () => false : refuses(fault, '0');
          const secret = `Pay ${CANARY} now`;
          await read(
            answer(chain, { masking, labels }),
            where === 'question' ? says(secret) : says('Hi', secret),
          ).catch((error) => expect(error).toBeInstanceOf(AppError));
        },
      ),
      { numRuns: 60 },
    );
    // Something did go out, with the names in place of the values.
    expect(cloud.everything()).toContain('Pay [IBAN_1] now');
    expect(cloud.everything()).not.toContain(CANARY.slice(4));
  });

  it('tries three times with growing patience, then the next, and pays for one answer', async () => {
    cloud.fault = (request, response) => (request.provider === 'openai' ? refuses(503)(request, response) : false);
    const routed = answer([openai, google]);
    expect(await read(routed, says('Hello'))).toBe('From the cloud');
    expect(routed.receipt().attempts.map(({ provider, outcome }) => `${provider} ${outcome}`)).toEqual([
      'openai failed',
      'openai failed',
      'openai failed',
      'google ok',
    ]);
    expect(waits).toHaveLength(2);
    expect(waits[1]).toBeGreaterThan(waits[0] as number);
    expect(settled).toEqual([0, 0, 0, 15 / 1_000]);
    expect(routed.receipt().decision).toMatchObject({ provider: 'google', reasonCode: 'fallback_provider_degraded' });
  });

  it.each([
    [401, 'fallback_auth_error', 1],
    [404, 'fallback_provider_degraded', 1],
    [429, 'fallback_rate_limit', 3],
  ])('knows why it went on after HTTP %i: %s', async (status, reasonCode, tries) => {
    cloud.fault = refuses(status);
    const routed = answer([openai, local]);
    expect(await read(routed, says('Hello'))).toBe('house');
    expect(routed.receipt().decision?.reasonCode).toBe(reasonCode);
    expect(cloud.requests).toHaveLength(tries);
  });

  it('says of several failures why the first choice was left', async () => {
    cloud.fault = (request, response) => refuses(request.provider === 'openai' ? 401 : 429)(request, response);
    const routed = answer([openai, google, local]);
    expect(await read(routed, says('Hello'))).toBe('house');
    expect(routed.receipt().decision?.reasonCode).toBe('fallback_auth_error');
  });

  it('waits as long as it is told and no longer than ten seconds', async () => {
    cloud.fault = refuses(429, '7');
    await read(answer([openai, local]), says('Hello'));
    expect(waits).toEqual([7_000, 7_000]);
    waits.length = 0;
    cloud.fault = refuses(429, '11');
    await read(answer([openai, local]), says('Hello'));
    expect(waits).toEqual([]);
  });

  it('goes from an engine in the house to a cloud before the first word', async () => {
    const routed = answer([local, openai], {
      local: () => {
        throw new AppError('upstream_unreachable', 'down');
      },
    });
    expect(await read(routed, says('Hello'))).toBe('From the cloud');
    expect(routed.receipt().decision).toMatchObject({
      target: 'cloud',
      reasonCode: 'fallback_provider_offline',
      paid: true,
    });
  });

  it('charges what was seen where an answer breaks off', async () => {
    cloud.fault = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'Half' } }] })}\n\n`,
      );
      setTimeout(() => response.destroy(), 20);
      return true;
    };
    const routed = answer([openai, local]);
    await expect(read(routed, says('Hello'))).rejects.toMatchObject({ code: 'upstream_reset' });
    const [attempt] = routed.receipt().attempts;
    // Nobody said what it came to: the most that the two short messages may be, and a token for each byte that came.
    expect(settled).toEqual([(21 + (attempt?.bytesReceived ?? 0)) / 1_000]);
    expect(routed.receipt().attempts).toMatchObject([
      { provider: 'openai', outcome: 'failed', error: 'upstream_reset' },
    ]);
  });

  it.each([400, 401, 404])('holds HTTP %i against the request, not against the health of the cloud', async (status) => {
    const rest = new ProviderRest(() => 0);
    cloud.fault = refuses(status);
    for (let count = 0; count < 6; count += 1) await read(answer([openai, local], { rest }), says('Hi'));
    expect(cloud.requests).toHaveLength(6);
    expect(rest.resting('openai')).toBe(false);
  });

  it('sends one request alone to a cloud whose rest is over, and the others only after it was answered', async () => {
    const clock = { now: 0 };
    const rest = new ProviderRest(() => clock.now);
    cloud.fault = refuses(503);
    for (let count = 0; count < 2; count += 1)
      expect(await read(answer([openai, local], { rest }), says('Hi'))).toBe('house');
    expect(rest.resting('openai')).toBe(true);
    expect(cloud.requests.length).toBe(5);
    // Somebody whose route was chosen just before asks nobody either.
    const late = answer([openai, local], { rest });
    expect(await read(late, says('Hi'))).toBe('house');
    expect(cloud.requests.length).toBe(5);

    clock.now = 60_000;
    cloud.fault = refuses(503);
    expect(rest.resting('openai')).toBe(false);
    expect(await read(answer([openai, local], { rest }), says('Hi'))).toBe('house');
    // The trial failed: it rests again after this one, with no second try.
    expect(cloud.requests.length).toBe(6);
    expect(rest.resting('openai')).toBe(true);

    clock.now = 120_000;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    cloud.fault = async () => {
      await held;
      return false;
    };
    const trial = read(answer([openai, local], { rest }), says('Hi'));
    expect(rest.resting('openai')).toBe(true);
    expect(await read(answer([openai, local], { rest }), says('Hi'))).toBe('house');
    release();
    expect(await trial).not.toBe('house');
    expect(cloud.requests.length).toBe(7);
    expect(rest.resting('openai')).toBe(false);
  });
});
