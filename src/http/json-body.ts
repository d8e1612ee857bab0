// What may come in as JSON. Refused here is what no part behind could handle alike: nesting that a recursive reader dies
// of, names that reach an object's prototype, and text that no store and no wire keeps as it is.
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../shared/errors.js';

/** Deeper than any schema of a tool; far from what overflows a stack. */
const MAX_LEVELS = 100;

/** As the original's server does: what says nothing of itself is JSON too, and what is made of it. Anything else is 415. */
export function takeJsonBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  for (const type of ['application/json', /^application\/[\w.-]+\+json(?:;|$)/, '*'])
    app.addContentTypeParser(type, { parseAs: 'buffer' }, ({ headers }, body, done) => {
      if (type === '*' && headers['content-type'])
        return done(Object.assign(new Error('Send it as application/json.'), { statusCode: 415 }), undefined);
      try {
        done(null, readJsonBody(body as Buffer));
      } catch (error) {
        done(error as Error, undefined);
      }
    });
}

/** What is no JSON at all. */
export class BrokenJson extends AppError {
  /** @param position  of the character that does not fit, 0 where that is unknown */
  constructor(
    message: string,
    readonly position: number,
  ) {
    super('invalid_input', message);
  }
}

/** The same for bytes as they came. @throws AppError `invalid_input` */
export function readJsonBody(bytes: Buffer): unknown {
  // A decoder would put other characters in their place.
  if (!isUtf8(bytes)) throw new BrokenJson('The body is not valid UTF-8.', 0);
  return parseJsonBody(bytes.toString());
}

/**
 * An empty body is none: the original's client sends a JSON content type without one.
 * @throws AppError `invalid_input`
 */
export function parseJsonBody(text: string): unknown {
  if (text === '') return undefined;
  let body: unknown;
  try {
    // Some programs on Windows begin every text with a byte order mark.
    body = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (error) {
    const { message } = error as Error;
    // Of a short text the parser does not say where.
    const [, position = message.includes('end of JSON') ? text.length : 0] = /at position (\d+)/.exec(message) ?? [];
    throw new BrokenJson('The body is not valid JSON.', Number(position));
  }
  check(body);
  return body;
}

/** Level by level instead of by recursion. @throws AppError `invalid_input` */
function check(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_LEVELS) throw new AppError('invalid_input', `The body is nested deeper than ${MAX_LEVELS} levels.`);
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'string') checkText(value);
      else if (Array.isArray(value)) for (const item of value) next.push(item);
      else if (typeof value === 'object' && value !== null) {
        for (const [name, member] of Object.entries(value)) {
          checkText(name);
          if (name === '__proto__' || (name === 'constructor' && hasPrototype(member)))
            throw new AppError('invalid_input', `The body has a member called ${name}, which is not taken.`);
          next.push(member);
        }
      }
    }
    level = next;
  }
}

const hasPrototype = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');

function checkText(text: string): void {
  if (text.includes('\0')) throw new AppError('invalid_input', 'The body holds a NUL character.');
  if (!text.isWellFormed())
    throw new AppError('invalid_input', 'The body holds half a character: a surrogate without its pair.');
}
