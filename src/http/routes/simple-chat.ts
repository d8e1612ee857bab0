// POST /llm/simple/stream, and how to come back to an answer or stop it.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Followed, SimpleMode, SimpleRequest } from '../../chat/simple-mode.js';
import { CancelResponse, RequestIdParams, SimpleChatRequest } from '../../contract/simple-chat.js';
import { unknownParams } from '../../runtimes/call-params.js';
import { AppError } from '../../shared/errors.js';
import { samplingOf } from '../compatible/sampling.js';
import {
  corsOf,
  followLive,
  openEventStream,
  parseEventId,
  replayStored,
  type StreamPosition,
} from '../event-stream.js';
import { sessionIdFor } from '../ownership.js';
import { sessionIdHeader } from '../session-id-header.js';
import { isStrict } from '../strict-header.js';

const TOP_LOGPROBS = 8;
const KNOWN: ReadonlySet<string> = new Set(Object.keys(SimpleChatRequest.shape));
const GENERATION = (Object.keys(SimpleChatRequest.shape) as (keyof typeof SimpleChatRequest.shape)[]).filter(
  (name) => !['content', 'session_id', 'instructions', 'model', 'strict'].includes(name),
);

export const simpleChatRoutes: FastifyPluginAsyncZod<{ simple: SimpleMode; keepAlive: string }> = async (
  app,
  { simple, keepAlive },
) => {
  app.post('/llm/simple/stream', { schema: { body: SimpleChatRequest, tags: ['chat'] } }, async (request, reply) => {
    const lastSeen = parseEventId(header(request, 'last-event-id'));
    if (lastSeen) return stream(reply, simple.follow(lastSeen.requestId, request.owner), lastSeen);
    const key = header(request, 'idempotency-key');
    if (key !== undefined && (key.length > 200 || key === ''))
      throw new AppError('invalid_input', 'Idempotency-Key must have 1 to 200 characters.');
    const strict = request.body.strict === true || isStrict(request.headers['x-venom-strict-params']);
    const asked = { ...toSimpleRequest(request.body, key, keepAlive, strict), owner: request.owner };
    return stream(reply, await simple.start(asked), undefined, asked.sessionId);
  });

  app.get(
    '/llm/simple/stream/:request_id',
    {
      schema: {
        params: RequestIdParams,
        querystring: z.object({ last_event_id: z.string().max(80).optional() }),
        tags: ['chat'],
      },
    },
    async (request, reply) => {
      const position = parseEventId(header(request, 'last-event-id') ?? request.query.last_event_id);
      const followed = simple.follow(request.params.request_id, request.owner);
      return stream(reply, followed, position?.requestId === request.params.request_id ? position : undefined);
    },
  );

  app.post(
    '/llm/simple/stream/:request_id/cancel',
    { schema: { params: RequestIdParams, response: { 200: CancelResponse }, tags: ['chat'] } },
    async ({ params, owner }) => ({
      status: 'success' as const,
      cancelled: simple.cancel(params.request_id, owner),
    }),
  );
};

function stream(
  reply: FastifyReply,
  followed: Followed,
  from: StreamPosition | undefined,
  sessionId?: string | undefined,
) {
  const turn = followed.kind === 'live' ? followed.turn : followed.answer;
  const cors = corsOf(reply);
  reply.hijack();
  openEventStream(reply.raw, {
    ...cors,
    'x-request-id': turn.requestId,
    'x-session-id': sessionIdHeader(sessionIdFor(reply.request.owner, turn.sessionId ?? sessionId ?? null)),
  });
  if (reply.raw.destroyed) return reply;
  if (followed.kind === 'live') followLive(reply.raw, followed.turn, from);
  else replayStored(reply.raw, followed.answer, from);
  return reply;
}

function toSimpleRequest(
  body: z.output<typeof SimpleChatRequest>,
  idempotencyKey: string | undefined,
  keepAlive: string,
  strict: boolean,
): SimpleRequest {
  const format = body.response_format ?? undefined;
  const schema = jsonSchemaOf(format) ?? jsonSchemaOf(body.format);
  const venom: Record<string, unknown> = {
    // A pool sends a conversation to the server that has it in its cache.
    sessionId: body.session_id || undefined,
    repeatPenalty: body.repeat_penalty ?? undefined,
    minP: body.min_p ?? undefined,
    stream: body.stream ?? undefined,
    logprobs: body.logprobs ?? undefined,
    topLogprobs: body.logprobs ? Math.min(body.top_logprobs ?? 0, TOP_LOGPROBS) : undefined,
    responseFormat: typeof format === 'object' ? format : undefined,
    format: body.format ?? undefined,
    tools: body.tools?.length ? body.tools : undefined,
    toolChoice: body.tool_choice ?? undefined,
    think: body.think ?? undefined,
    // Earlier messages go along as far as they fit.
    dropOldest: true,
    keepAlive,
  };
  return {
    content: body.content,
    model: body.model || undefined,
    sessionId: body.session_id || undefined,
    instructions: body.instructions ?? undefined,
    idempotencyKey,
    resumable: body.resumable ?? false,
    strict,
    unknownParams: unknownParams(body, KNOWN),
    generationParams: Object.fromEntries(
      GENERATION.flatMap((name) => (body[name] === undefined || body[name] === null ? [] : [[name, body[name]]])),
    ),
    options: {
      maxOutputTokens: body.max_tokens ?? undefined,
      ...samplingOf(body),
      ...(schema ? { responseFormat: { type: 'json' as const, schema } } : {}),
      providerOptions: { venom: venom as never },
    },
  };
}

/** A schema as such, or inside `{json_schema: {schema}}`. */
function jsonSchemaOf(format: unknown): Record<string, unknown> | undefined {
  if (typeof format !== 'object' || format === null) return undefined;
  const wrapped = (format as { json_schema?: { schema?: unknown } }).json_schema?.schema;
  if (typeof wrapped === 'object' && wrapped !== null) return wrapped as Record<string, unknown>;
  return 'properties' in format || 'items' in format || 'enum' in format
    ? (format as Record<string, unknown>)
    : undefined;
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
