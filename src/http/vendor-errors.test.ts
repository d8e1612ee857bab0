import { expect, it } from 'vitest';
import { vendorError } from './vendor-errors.js';

const failure = { status: 422, code: 'invalid_input', message: 'Wrong.', param: 'model', requestId: 'r' };

it.each([
  [
    '/v1/chat/completions',
    400,
    { error: { message: 'Wrong.', type: 'invalid_request_error', param: 'model', code: 'invalid_input' } },
  ],
  [
    '/v1/messages',
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'Wrong.' }, request_id: 'r' },
  ],
  ['/v1/messages/count_tokens', 400, expect.objectContaining({ type: 'error' })],
  ['/v1/messagesque', 400, expect.objectContaining({ error: expect.objectContaining({ code: 'invalid_input' }) })],
  ['/api/chat', 400, { error: 'Wrong.' }],
  ['/api/v1x', 400, { error: 'Wrong.' }],
])('%s answers in the form its clients read', (path, status, body) => {
  expect(vendorError(path, failure)).toEqual({ status, body });
});

it('tells Ollama’s clients of a missing model in the words they look for', () => {
  const missing = { ...failure, status: 404, code: 'model_not_found' };
  for (const message of ['No installed model is called huge.', "model 'huge' not found"])
    expect(vendorError('/api/chat', { ...missing, message })?.body).toEqual({
      error: expect.stringMatching(/huge.*not found/),
    });
});

it.each(['/api/v1/models', '/healthz', '/'])('%s is our own', (path) => {
  expect(vendorError(path, failure)).toBeUndefined();
});

it.each([
  [401, 401, 'authentication_error'],
  [404, 404, 'not_found_error'],
  [413, 413, 'request_too_large'],
  [429, 429, 'rate_limit_error'],
  [502, 502, 'api_error'],
  [503, 529, 'overloaded_error'],
  [504, 504, 'timeout_error'],
])("Anthropic's clients read our %i as %i %s", (status, seen, type) => {
  expect(vendorError('/v1/messages', { ...failure, status })).toMatchObject({
    status: seen,
    body: { error: { type } },
  });
});
