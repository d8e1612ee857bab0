// Every route that takes a body, as the API describes itself, against bodies and addresses made to break it. A refusal has
// a code and the form its clients read; nothing is an unexpected failure, nothing hangs, and the server lives on.
// `VENOM_FUZZ_ROUNDS` sets how many random bodies a route gets, `VENOM_FUZZ_SEED` replays them.
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ERROR_CODES } from '../../src/shared/errors.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const ROUNDS = Number(process.env['VENOM_FUZZ_ROUNDS'] ?? 12);
const SEED = Number(process.env['VENOM_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const BODY_LIMIT_BYTES = 262_144;
const PATIENCE_MS = 10_000;

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  minItems?: number;
  format?: string;
  pattern?: string;
}

interface Operation {
  method: string;
  path: string;
  body: Schema | undefined;
}

let upstream: FakeUpstream;
let server: TestServer;
let components: Record<string, Schema> = {};
let operations: Operation[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

beforeAll(async () => {
  console.log(`seed ${SEED}: replay with VENOM_FUZZ_SEED=${SEED}`);
  upstream = await startFakeUpstream();
  // A random request may well ask for a model: none is fetched, or another one would answer from then on.
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', '');
  vi.stubEnv('UV_OFFLINE', '1');
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    LLM_WARMUP_ON_STARTUP: 'false',
    BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES),
    HF_ENDPOINT: 'http://127.0.0.1:9',
    OLLAMA_LIBRARY_ENDPOINT: 'http://127.0.0.1:9',
  });
  const description = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
    components?: { schemas?: Record<string, Schema> };
  };
  components = description.components?.schemas ?? {};
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => ['post', 'put', 'patch'].includes(method))
      .map(([method, { requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        body: requestBody?.content['application/json']?.schema,
      })),
  );
});
afterAll(async () => {
  agent.destroy();
  await server.close();
  await upstream.close();
  vi.unstubAllEnvs();
});

interface Answer {
  status: number;
  body: string;
  type: string;
}

/** By hand, since `fetch` mends what is to be sent broken. The head is what counts; of an event stream no more is read. */
function send(
  method: string,
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = new URL(server.url);
    const request = httpRequest(
      {
        host: url.hostname,
        port: url.port,
        method,
        path,
        agent,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const type = String(response.headers['content-type'] ?? '');
        const pieces: Buffer[] = [];
        const done = () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString(), type });
        if (type.startsWith('text/event-stream') || type.startsWith('application/x-ndjson')) {
          done();
          response.destroy();
          return;
        }
        response.on('data', (bytes: Buffer) => pieces.push(bytes));
        response.on('end', done);
        response.on('error', reject);
      },
    );
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error(`${method} ${path} hung`)));
    // The server may answer and close before a body that is too long has been sent.
    let answered = false;
    request.on('response', () => {
      answered = true;
    });
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    request.end(body);
  });
}

/** The address with something in the place of each parameter. */
const filled = ({ path }: Operation, value = 'nothing'): string =>
  path.replaceAll(/\{[^}]+\}/g, value).replace('*', value);

/** The contract's form of a refusal, and that of the APIs of others. */
function expectCoded(operation: Operation, answer: Answer, what: string): void {
  const where = `${operation.method} ${operation.path}, ${what}: ${answer.status} ${answer.body.slice(0, 300)}`;
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  if (operation.path.startsWith('/api/v1/')) {
    expect(ERROR_CODES, where).toContain(body['code']);
    expect(body['code'], where).not.toBe('internal');
    expect(body['request_id'], where).toMatch(/^[0-9a-f-]{36}$/);
    const { detail } = body;
    if (answer.status === 422 && Array.isArray(detail)) {
      expect(detail.length, where).toBeGreaterThan(0);
      for (const item of detail)
        expect(item, where).toEqual(
          expect.objectContaining({ type: expect.any(String), loc: expect.any(Array), msg: expect.any(String) }),
        );
    } else expect(['string', 'object'], where).toContain(typeof detail);
  } else if (operation.path.startsWith('/v1/messages')) {
    expect(body, where).toMatchObject({
      type: 'error',
      error: { type: expect.any(String), message: expect.any(String) },
    });
  } else if (operation.path.startsWith('/v1/')) {
    expect(body, where).toMatchObject({ error: { type: expect.any(String), message: expect.any(String) } });
    expect((body['error'] as { code: unknown }).code, where).not.toBe('internal');
  } else expect(body, where).toEqual({ error: expect.any(String) });
}

/** A refusal with a code, or an answer where the request happened to be one that can be met. */
function expectSane(operation: Operation, answer: Answer, what: string): void {
  const where = `${operation.method} ${operation.path}, ${what}: ${answer.status} ${answer.body.slice(0, 300)}`;
  expect(answer.body, where).not.toContain('unexpected failure');
  if (answer.status >= 400) expectCoded(operation, answer, what);
}

function expectRefused(operation: Operation, answer: Answer, what: string): void {
  const where = `${operation.method} ${operation.path}, ${what}: ${answer.status} ${answer.body.slice(0, 300)}`;
  expect(answer.status, where).toBeGreaterThanOrEqual(400);
  expect(answer.status, where).toBeLessThan(500);
  expectCoded(operation, answer, what);
}

const resolved = (schema: Schema): Schema =>
  schema.$ref ? (components[schema.$ref.split('/').at(-1) as string] ?? {}) : schema;

/** A plain value of the form; strings that have a pattern are words that most patterns take. */
function sample(from: Schema, depth = 0): unknown {
  const schema = resolved(from);
  if (depth > 6) return null;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0];
  if (choice) return sample(choice, depth + 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([name]) => schema.required?.includes(name))
          .map(([name, property]) => [name, sample(property, depth + 1)]),
      );
    case 'array':
      return schema.minItems ? [sample(schema.items ?? {}, depth + 1)] : [];
    case 'string':
      return schema.format === 'uuid' ? crypto.randomUUID() : 'word'.padEnd(schema.minLength ?? 1, 'x');
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, (schema.exclusiveMinimum ?? 0) + 1);
    case 'boolean':
      return true;
    default:
      return {};
  }
}

const properties = (operation: Operation): string[] => {
  const schema = resolved(operation.body ?? {});
  return Object.keys(schema.properties ?? resolved(schema.anyOf?.[0] ?? {}).properties ?? {});
};

const LEVELS = 10_000;
const DEEP = `${'['.repeat(LEVELS)}${']'.repeat(LEVELS)}`;
const DEEP_OBJECT = `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`;

/** Each property in turn with this text of JSON, all others as they should be. */
function* withEach(operation: Operation, json: string): Generator<[string, string]> {
  const base = sample(operation.body ?? {}) as Record<string, unknown>;
  for (const name of properties(operation)) {
    const rest = Object.entries(base).filter(([other]) => other !== name);
    const members = rest.map(([other, value]) => `${JSON.stringify(other)}:${JSON.stringify(value)}`);
    yield [name, `{${[...members, `${JSON.stringify(name)}:${json}`].join(',')}}`];
  }
}

describe('a request that is made to break the server', () => {
  it('finds the routes it is about', () => {
    expect(operations.length).toBeGreaterThan(40);
    expect(operations.filter(({ body }) => body).length).toBeGreaterThan(25);
  });

  it('is refused where it is no JSON, too large, or of another kind', async () => {
    for (const operation of operations.filter(({ body }) => body)) {
      const { method } = operation;
      const path = filled(operation);
      expectRefused(operation, await send(method, path, '{"a":'), 'half of an object');
      expectRefused(operation, await send(method, path, '\0'), 'a NUL byte');
      expectRefused(operation, await send(method, path, '{"a":\0}'), 'a NUL byte within');
      expectRefused(operation, await send(method, path, '{"a":NaN}'), 'NaN');
      for (const other of ['7', '"text"', '[]', '[[]]', 'true'])
        expectRefused(operation, await send(method, path, other), `${other} in place of an object`);
      const large = await send(method, path, `{"a":"${'x'.repeat(BODY_LIMIT_BYTES)}"}`);
      expectRefused(operation, large, 'a body beyond the limit');
      expect(large.status, path).toBe(413);
      if (!path.startsWith('/api/') || path.startsWith('/api/v1/'))
        expectRefused(operation, await send(method, path, '<a/>', { 'content-type': 'application/xml' }), 'XML');
    }
  }, 60_000);

  it('is refused in bytes that are no UTF-8, and compressed', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 97));
    const compressed = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    for (const operation of operations.filter(({ body }) => body)) {
      const path = filled(operation);
      const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]);
      const answer = await send(operation.method, path, broken);
      expectRefused(operation, answer, 'broken UTF-8');
      expect(answer.body, path).toContain('UTF-8');
      for (const body of [bomb, gzipSync('{}')]) {
        const refused = await send(operation.method, path, body, compressed);
        expectRefused(operation, refused, 'a compressed body');
        expect(refused.status, path).toBe(415);
      }
    }
  }, 60_000);

  it.each([
    ['breaks off', '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of', 'boundary=x'],
    ['ends before its end', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n', 'boundary=x'],
    ['has no boundary', '--x\r\n\r\n--x--\r\n', ''],
    ['has another boundary', '--x\r\n\r\na\r\n--x--\r\n', 'boundary=other'],
    ['is empty', '', 'boundary=x'],
    ['holds no file', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', 'boundary=x'],
    [
      'floods with fields',
      `${'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'.repeat(200)}--x--\r\n`,
      'boundary=x',
    ],
  ])('is refused where a form %s', async (what, body, boundary) => {
    const operation = { method: 'POST', path: '/api/v1/knowledge/files', body: undefined };
    const headers = { 'content-type': `multipart/form-data; ${boundary}` };
    expectRefused(operation, await send('POST', operation.path, body, headers), what);
  });

  it('is refused when it is ten thousand levels deep', async () => {
    for (const operation of operations.filter(({ body }) => body)) {
      const { method } = operation;
      const path = filled(operation);
      expectRefused(operation, await send(method, path, DEEP), 'a deep list');
      expectRefused(operation, await send(method, path, DEEP_OBJECT), 'a deep object');
      for (const [name, json] of withEach(operation, DEEP_OBJECT))
        expectRefused(operation, await send(method, path, json), `a deep object in ${name}`);
      for (const [name, json] of withEach(operation, DEEP))
        expectRefused(operation, await send(method, path, json), `a deep list in ${name}`);
    }
  }, 60_000);

  it('changes no prototype, and other names of its members are only names', async () => {
    const poison = '{"polluted":"yes"}';
    for (const operation of operations.filter(({ body }) => body)) {
      const base = JSON.stringify(sample(operation.body ?? {})).slice(1, -1);
      for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'unknown_field']) {
        const json = `{${[base, `"${name}":{"prototype":${poison},"polluted":"yes"}`].filter(Boolean).join(',')}}`;
        const answer = await send(operation.method, filled(operation), json);
        const expected = ['__proto__', 'constructor'].includes(name) ? expectRefused : expectSane;
        expected(operation, answer, `a member ${name}`);
      }
      for (const [name, json] of withEach(operation, `{"__proto__":${poison},"constructor":{"prototype":${poison}}}`))
        expectRefused(operation, await send(operation.method, filled(operation), json), `__proto__ in ${name}`);
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(([] as { polluted?: unknown }).polluted).toBeUndefined();
  }, 60_000);

  it('is refused with half a character or a NUL character', async () => {
    for (const operation of operations.filter(({ body }) => body))
      for (const value of ['"\\ud800"', '"a\\u0000b"'])
        for (const [name, json] of withEach(operation, value))
          expectRefused(operation, await send(operation.method, filled(operation), json), `${value} in ${name}`);
  }, 60_000);

  it('is refused or met with wrong types and numbers out of range', async () => {
    const values = ['"../../etc/passwd"', '1e308', '-1', '1e999', '[]', '{}', 'null', `"${'é'.repeat(60_000)}"`];
    for (const operation of operations.filter(({ body }) => body))
      for (const value of values)
        for (const [name, json] of withEach(operation, value))
          expectSane(
            operation,
            await send(operation.method, filled(operation), json),
            `${value.slice(0, 30)} in ${name}`,
          );
  }, 60_000);

  it('is refused at an address that names nothing', async () => {
    const names = [
      '%00',
      'a'.repeat(900),
      'a'.repeat(5_000),
      '%ff%fe',
      '%E0%A4%A',
      '..%2f..%2fetc%2fpasswd',
      '__proto__',
      '%F0%9F%92%A9',
      '-1',
    ];
    for (const operation of operations.filter(({ path }) => path.includes('{') || path.includes('*')))
      for (const name of names)
        expectSane(
          operation,
          await send(operation.method, filled(operation, name), JSON.stringify(sample(operation.body ?? {}))),
          name.slice(0, 40),
        );
  }, 60_000);

  it(`is refused or met with ${ROUNDS} random bodies for each route`, async () => {
    for (const operation of operations.filter(({ body }) => body)) {
      const base = sample(operation.body ?? {}) as Record<string, unknown>;
      const names = properties(operation);
      const random = fc.tuple(
        fc.dictionary(fc.constantFrom(...names, '__proto__', 'x'), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 4 }),
        fc.boolean(),
      );
      await fc.assert(
        fc.asyncProperty(random, async ([changes, whole]) => {
          const body = JSON.stringify(whole ? { ...base, ...changes } : changes);
          expectSane(operation, await send(operation.method, filled(operation), body), body.slice(0, 200));
        }),
        { numRuns: ROUNDS, seed: SEED },
      );
    }
  }, 600_000);

  it.each([
    ['no HTTP', 'this is no HTTP\r\n\r\n', 400],
    ['a head beyond the limit', `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    [
      'two lengths',
      'POST /api/v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
    ],
    ['two Hosts', 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n', 400],
    ['no Host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 403],
    ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    [
      'an expectation',
      'POST /api/v1/tasks HTTP/1.1\r\nhost: localhost\r\nexpect: a-miracle\r\ncontent-length: 2\r\n\r\n{}',
      417,
    ],
  ])('is refused in the same form when it is %s', async (_name, bytes, status) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    let answer = '';
    for await (const piece of socket) answer += piece;
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const json = /\{.*\}/.exec(answer.slice(answer.indexOf('\r\n\r\n')))?.[0] ?? '';
    expect(JSON.parse(json)).toMatchObject({
      code: status === 403 ? 'forbidden_host' : 'invalid_input',
      detail: expect.any(String),
      request_id: expect.any(String),
    });
  });

  it('leaves a server that answers', async () => {
    expect((await send('GET', '/healthz', '')).status).toBe(200);
    upstream.behaviour = (_body, response) => void response.writeHead(500).end('{}');
    const answer = await send(
      'POST',
      '/api/v1/llm/simple/stream',
      JSON.stringify({ content: 'Hi', model: 'fake-model' }),
    );
    expect(answer.type).toContain('text/event-stream');
  });
});
