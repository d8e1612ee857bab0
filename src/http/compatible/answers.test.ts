import { EventEmitter } from 'node:events';
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { FastifyReply } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import { abilitiesOf } from '../../models/abilities.js';
import { AnswerGate, CompatibleAnswers, readWhole } from './answers.js';

const finish: LanguageModelV4StreamPart = {
  type: 'finish',
  finishReason: { unified: 'stop', raw: undefined },
  usage: {
    inputTokens: { total: 4, noCache: undefined, cacheRead: 1, cacheWrite: undefined },
    outputTokens: { total: 2, text: undefined, reasoning: undefined },
  },
};
const question: LanguageModelV4CallOptions = {
  prompt: [
    { role: 'system', content: 'Rules' },
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
  ],
};
const withPicture = (mediaType: string): LanguageModelV4CallOptions => ({
  prompt: [{ role: 'user', content: [{ type: 'file', mediaType, data: { type: 'data', data: 'AAAA' } }] }],
});

function setUp(parts: LanguageModelV4StreamPart[][], { can = [] as string[], limit = 1, provider = 'fake' } = {}) {
  const seen = { routed: '', usage: [] as unknown[], outcomes: [] as unknown[], ended: '', left: false };
  const tracer = {
    start() {},
    step() {},
    update() {},
    touch() {},
    finish: (_id: string, status: string) => (seen.ended = status),
  };
  const answers = new CompatibleAnswers({
    target: (_model, text) => {
      seen.routed = text;
      return {
        provider,
        endpoint: null,
        model: 'm',
        runtimeId: 'r',
        configHash: 'h',
        stream: async ({ abortSignal }) =>
          (async function* () {
            try {
              for (const batch of parts) {
                abortSignal?.throwIfAborted();
                yield batch;
              }
            } finally {
              seen.left = true;
            }
          })(),
      };
    },
    abilities: async (_model, named) => abilitiesOf(named, can, null),
    tracer: tracer as unknown as RequestTracer,
    gate: new AnswerGate(limit),
    onUsage: (usage) => seen.usage.push(usage),
    onOutcome: (_target, failure) => seen.outcomes.push(failure),
  });
  const raw = Object.assign(new EventEmitter(), { destroyed: false });
  const reply = { raw, header() {}, request: { owner: null } } as unknown as FastifyReply;
  const ask = (options = question) => answers.ask({ api: 'Test', model: 'm', options, reply });
  return { ask, raw, seen };
}

describe('CompatibleAnswers', () => {
  it('shows routing what people said, counts, and closes the trace', async () => {
    const { ask, seen } = setUp([[{ type: 'text-delta', id: 't', delta: 'Hello' }], [finish]]);
    expect(await readWhole(await ask())).toMatchObject({ text: 'Hello', finish: 'stop' });
    expect(seen).toMatchObject({ routed: 'Hi', ended: 'COMPLETED', outcomes: [null] });
    expect(seen.usage).toMatchObject([{ promptTokens: 4, cachedPromptTokens: 1, completionTokens: 2 }]);
  });

  it('takes in what the model can, and refuses the rest before the engine is asked', async () => {
    const sees = setUp([[finish]], { can: ['vision'], limit: 9 });
    await readWhole(await sees.ask(withPicture('image/png')));
    await expect(sees.ask(withPicture('audio/wav'))).rejects.toMatchObject({ code: 'unsupported' });
    const blind = setUp([[finish]], { can: ['completion'], limit: 9, provider: 'llama-cpp' });
    await expect(blind.ask(withPicture('image/png'))).rejects.toMatchObject({ code: 'unsupported' });
    const think = { ...question, providerOptions: { venom: { think: true } } };
    await expect(blind.ask(think)).rejects.toMatchObject({ code: 'unsupported' });
    await readWhole(await setUp([[finish]], { can: ['thinking'] }).ask(think));
    const needs = { ...question, providerOptions: { venom: { ollamaOptionsNeeded: ['mirostat'] } } };
    await expect(blind.ask(needs)).rejects.toMatchObject({ code: 'unsupported', message: /mirostat/ });
    expect(blind.seen.left).toBe(false);
  });

  it('gives a place back however it ends', async () => {
    const failing = setUp([[{ type: 'error', error: new Error('bad') }]]);
    for (let round = 0; round < 3; round += 1)
      await expect(failing.ask().then(readWhole)).rejects.toMatchObject({ code: 'internal' });
    expect(failing.seen.ended).toBe('FAILED');

    const left = setUp([[{ type: 'text-delta', id: 't', delta: 'Hel' }], [finish]]);
    const answer = await left.ask();
    await expect(left.ask()).rejects.toMatchObject({ code: 'runtime_busy' });
    left.raw.emit('close');
    expect(left.seen).toMatchObject({ ended: 'FAILED', outcomes: [] });
    await expect(readWhole(answer)).rejects.toBeDefined();
    expect(left.seen.left).toBe(true);
    await readWhole(await left.ask());
  });
});
