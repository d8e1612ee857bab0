// What of a chat completion can be said to engines that do not speak OpenAI's wire.
import { describe, expect, it } from 'vitest';
import { ChatCompletionRequest } from '../../contract/openai.js';
import { toOpenAiCall } from './openai-call.js';

const call = (rest: object) =>
  toOpenAiCall(
    ChatCompletionRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...rest }),
    new AbortController().signal,
  );

describe('toOpenAiCall', () => {
  it.each([
    ['several answers', { n: 2 }],
    ['probabilities', { logprobs: true }],
    ['another format', { response_format: { type: 'xml' } }],
    ['a bias', { logit_bias: { '5': 1 } }],
    ['sound', { modalities: ['text', 'audio'], audio: { voice: 'v' } }],
    ['functions of the older form', { functions: [{ name: 'f' }] }],
  ])('refuses %s instead of leaving it out', (_what, rest) => {
    expect(() => call(rest)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('takes the same fields where they ask for nothing', () => {
    expect(
      call({ n: 1, logprobs: false, logit_bias: {}, modalities: ['text'], functions: [], max_tokens: 5 }),
    ).toMatchObject({
      maxOutputTokens: 5,
      prompt: [{ role: 'user' }],
    });
  });
});
