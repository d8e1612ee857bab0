// One MCP endpoint over streamable HTTP, in both eras of the protocol: requests that carry their own envelope (2026) get a
// server each, the others (2025) belong to a session. What the server offers is its maker's affair.
import {
  type AuthInfo,
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppError, toAppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { corsOf } from '../event-stream.js';
import { parseJsonBody } from '../json-body.js';
import { type McpServerMaker, type McpSessionLimits, McpSessions } from './mcp-sessions.js';
import { pumpBody } from './pump-body.js';

const MAX_SUBSCRIPTIONS = 256;
const SESSION_HEADER = 'mcp-session-id';
const PARSE_ERROR = -32_700;
const SESSION_NOT_FOUND = -32_001;
const BAD_REQUEST = -32_000;

export interface McpEndpointOptions {
  make: McpServerMaker;
  /** Before a request of the 2026 era: what fails here is told with its code. */
  prepare?: () => Promise<void>;
  limits: McpSessionLimits;
  logger: Logger;
}

export class McpEndpoint {
  readonly #sessions: McpSessions;
  readonly #modern: McpHttpHandler;
  readonly #prepare: () => Promise<void>;
  #closed = false;

  constructor({ make, prepare, limits, logger }: McpEndpointOptions) {
    this.#prepare = prepare ?? (async () => {});
    this.#sessions = new McpSessions(make, limits);
    this.#modern = createMcpHandler(({ authInfo }) => make({ caller: authInfo ?? GUEST, client: { era: 'modern' } }), {
      legacy: 'reject',
      maxSubscriptions: MAX_SUBSCRIPTIONS,
      onerror: (error) => logger.debug({ err: error }, 'an MCP request was refused'),
    });
  }

  /** How open `subscriptions/listen` streams hear of changes. */
  get notify(): McpHttpHandler['notify'] {
    return this.#modern.notify;
  }

  /** Tells the clients of both eras. */
  resourcesChanged(): void {
    this.#modern.notify.resourcesChanged();
    this.#sessions.resourcesChanged();
  }

  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (this.#closed) throw new AppError('shutting_down', 'The server is stopping.');
    const caller = callerOf(request);
    const text = typeof request.body === 'string' ? request.body : undefined;
    const parsed = request.method === 'POST' ? parse(text ?? '') : undefined;
    if (parsed instanceof AppError) return refuse(reply, 400, PARSE_ERROR, parsed.message);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const web = toWebRequest(request, gone.signal);
    if (!(await isLegacyRequest(web, parsed))) {
      await this.#prepare();
      return send(reply, await this.#modern.fetch(web, { authInfo: caller, parsedBody: parsed }), () => {});
    }

    const id = request.headers[SESSION_HEADER];
    if (typeof id !== 'string') {
      if (request.method !== 'POST' || !isInitializeRequest(parsed))
        return refuse(reply, 400, BAD_REQUEST, 'Name the session in Mcp-Session-Id, or begin one with initialize.');
      const opened = await this.#sessions.open(caller, parsed.params.capabilities);
      const release = this.#sessions.use(opened);
      const answer = await opened.transport.handleRequest(web, { authInfo: caller, parsedBody: parsed });
      // Whatever was refused has no session, and its server nobody else to close it.
      if (opened.transport.sessionId === undefined) await opened.server.close();
      return send(reply, answer, release);
    }
    const entry = this.#sessions.find(id, caller);
    if (!entry) return refuse(reply, 404, SESSION_NOT_FOUND, 'There is no such session; begin one with initialize.');
    const release = this.#sessions.use(entry);
    return send(
      reply,
      await entry.transport.handleRequest(web, {
        authInfo: caller,
        ...(request.method === 'POST' ? { parsedBody: parsed } : {}),
      }),
      release,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([this.#sessions.close(), this.#modern.close()]);
  }
}

const GUEST: AuthInfo = { token: '', clientId: 'guest', scopes: [] };
const callerOf = ({ administrator, caller, owner }: FastifyRequest): AuthInfo => ({
  token: '',
  clientId: caller,
  scopes: administrator ? ['administrator'] : [],
  extra: { owner },
});

/** Whose things a caller may see. */
export const ownerOf = ({ extra }: AuthInfo): Owner => (typeof extra?.['owner'] === 'string' ? extra['owner'] : null);

/** What is no message is refused in the protocol's own words. */
function parse(text: string): unknown {
  try {
    return parseJsonBody(text) ?? new AppError('invalid_input', 'The body is empty.');
  } catch (thrown) {
    return toAppError(thrown);
  }
}

function toWebRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) headers.append(name, one);
  // The credential has done its work in the guard.
  headers.delete('authorization');
  headers.delete('x-api-key');
  return new Request(new URL(request.url, 'http://venom.internal'), { method: request.method, headers, signal });
}

async function send(reply: FastifyReply, answer: Response, release: () => void): Promise<FastifyReply> {
  const type = answer.headers.get('content-type') ?? '';
  if (answer.body === null || !type.startsWith('text/event-stream')) {
    const body = answer.body === null ? undefined : await answer.text();
    release();
    reply.status(answer.status);
    for (const [name, value] of answer.headers) reply.header(name, value);
    return reply.send(body);
  }
  const headers = { ...corsOf(reply), ...Object.fromEntries(answer.headers), 'x-accel-buffering': 'no' };
  reply.hijack();
  reply.raw.writeHead(answer.status, headers);
  pumpBody(answer.body, reply.raw).finally(release);
  return reply;
}

const refuse = (reply: FastifyReply, status: number, code: number, message: string): FastifyReply =>
  reply.status(status).send({ jsonrpc: '2.0', id: null, error: { code, message } });
