// Forms of a request that are refused before anybody asks what it wants: more than one Host, a compressed body, a tunnel,
// an expectation nobody can meet. What is no HTTP at all never gets as far as this (error-handler.ts).
import type { FastifyInstance } from 'fastify';
import { AppError } from '../shared/errors.js';
import { answerMalformed } from './error-handler.js';

export function installRequestForm(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    // Node hands on the first of two; another reader in front of this one may believe the second.
    if (times('host', request.raw.rawHeaders) > 1) return done(new AppError('invalid_input', 'There are two Hosts.'));
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity')
      return done(Object.assign(new Error('Compressed bodies are not taken; send it as it is.'), { statusCode: 415 }));
    return done();
  });
  // Without these Node closes the connection, or answers with nothing.
  app.server.on('connect', (_request, socket) => answerMalformed(new Error('This is no proxy.'), socket));
  app.server.on('checkExpectation', (_request, response) => {
    const body = JSON.stringify({
      detail: 'This expectation cannot be met.',
      code: 'invalid_input',
      request_id: crypto.randomUUID(),
    });
    response.writeHead(417, { 'content-type': 'application/json; charset=utf-8', connection: 'close' }).end(body);
  });
}

function times(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index] as string;
    if (header.length === name.length && header.toLowerCase() === name) count += 1;
  }
  return count;
}
