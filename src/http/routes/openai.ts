// /v1: what OpenAI's client libraries call. Stateless: nothing of it is kept but a trace.
import { Readable } from 'node:stream';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4Usage } from '@ai-sdk/provider';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { TurnUsage } from '../../chat/ports.js';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import type { ChatRouter, RoutedTarget } from '../../chat/turn-ports.js';
import { ModelPageQuery } from '../../contract/anthropic.js';
import { ChatCompletionRequest, EmbeddingRequest } from '../../contract/openai.js';
import { modelNotFound } from '../../models/meant-model.js';
import type { ModelManager } from '../../models/model-manager.js';
import { requireSight } from '../../models/sight.js';
import { watched } from '../../routing/counted-stream.js';
import type { AnswerReceipt, RanWith } from '../../routing/decision.js';
import { isExact, refuseUnlessExact } from '../../routing/strict-params.js';
import { BatchLanguageModel } from '../../runtimes/batch-language-model.js';
import { BODY_PARAMS, paramsOfBody, unknownParams } from '../../runtimes/call-params.js';
import type { EmbedInput, RuntimeModel } from '../../runtimes/runtime.js';
import { toAppError } from '../../shared/errors.js';
import { type AnswerGate, toTurnUsage } from '../compatible/answers.js';
import { beginRequest } from '../compatible/begun-request.js';
import { embedInTime } from '../compatible/embed-in-time.js';
import { checkDimensions } from '../compatible/embedding-dimensions.js';
import { sendForwarded, traceFailure } from '../compatible/forwarded.js';
import { toListedModel, toModelPage } from '../compatible/model-list.js';
import { finishReason, toOpenAiUsage } from '../compatible/openai-answer.js';
import { toOpenAiCall } from '../compatible/openai-call.js';
import { refuseAddresses } from '../pictures.js';
import { isStrict } from '../strict-header.js';

const KNOWN: ReadonlySet<string> = new Set([...Object.keys(ChatCompletionRequest.shape), ...BODY_PARAMS]);

export interface OpenAiRoutesOptions {
  models: ModelManager;
  tracer: RequestTracer;
  router: ChatRouter;
  gate: AnswerGate;
  /** For the vectors of one request. */
  embeddingTimeoutMs: number;
  /** Milliseconds since the epoch; null where nobody wrote it down. */
  installedAt: (model: string) => number | null;
  /** Not called where an engine does not say what an answer took. */
  onUsage: (usage: TurnUsage, target: RoutedTarget, costUsd: number | null) => void;
}

export const openAiRoutes: FastifyPluginAsyncZod<OpenAiRoutesOptions> = async (
  app,
  { models, tracer, router, gate, embeddingTimeoutMs, installedAt, onUsage },
) => {
  const tags = ['openai'];

  const shown = (model: RuntimeModel) => toListedModel(model, installedAt(model.name) ?? model.modifiedAt ?? null);

  app.get('/models', { schema: { querystring: ModelPageQuery, tags } }, async ({ query }) => {
    const { models: found } = await models.list();
    return toModelPage(found.map(shown), query);
  });

  app.get('/models/*', { schema: { tags } }, async (request) => {
    const name = (request.params as { '*': string })['*'];
    const { models: found } = await models.list();
    const model = found.find((known) => known.name === name);
    if (!model) throw modelNotFound(name);
    return shown(model);
  });

  app.post('/chat/completions', { schema: { body: ChatCompletionRequest, tags } }, async (request, reply) => {
    const body = request.body;
    const parts = furtherParts(body);
    const target = await router.route({
      text: saidText(body),
      mode: 'direct',
      taskType: 'CHAT',
      sessionId: null,
      model: body.model,
      images: parts.length > 0,
      labels: [],
    });
    if (parts.some(({ type }) => type === 'image_url'))
      requireSight(target.model, (await models.abilities(target.model, target.provider)).vision);
    const { provider, model } = target;
    const local = target.decision.chain.every((step) => step.target === 'local');
    const runtime = local ? (await models.resolve(model)).runtime : undefined;
    const abort = new AbortController();
    // Where a body is passed on, the engine itself judges what we do not know.
    const options = () => toOpenAiCall(body, abort.signal);
    const ran = runtime?.forward
      ? models.ranWith(runtime, model, paramsOfBody(body), [], 'openai')
      : target.ranWith?.(options(), unknownParams(body, KNOWN));
    if (ran && isStrict(request.headers['x-venom-strict-params'])) refuseUnlessExact(ran);
    const note = ran === undefined || isExact(ran) ? undefined : { ...ran, sent: plain(ran.sent) };
    const { requestId, leave } = beginRequest(
      { tracer, gate },
      { reply, target, prompt: lastUserText(body), note, abort },
    );
    const keep = (receipt: AnswerReceipt) =>
      tracer.update(requestId, (trace) => {
        trace.receipt = receipt;
      });
    let streaming = false;
    const startedAt = performance.now();
    const taken = (usage: LanguageModelV4Usage) => toTurnUsage(usage, null, performance.now() - startedAt);
    try {
      const forward = runtime?.forward?.bind(runtime);
      if (forward) {
        await sendForwarded({
          path: '/chat/completions',
          forward,
          body,
          target,
          requestId,
          sent: ran?.sent ?? {},
          note,
          reply,
          signal: abort.signal,
          tracer,
          onUsage,
          onEnd: leave,
        });
        streaming = true;
        return reply;
      }
      let used: LanguageModelV4Usage | undefined;
      const engine = new BatchLanguageModel(provider, model, async (asked) =>
        watched(await target.stream(asked), {
          onBatch: (batch) => {
            const finish = batch.find((part) => part.type === 'finish');
            if (!finish) return;
            tracer.update(requestId, (trace) => {
              trace.usage = taken(finish.usage);
            });
            used = finish.usage;
          },
          onEnd: () => {
            if (used) onUsage(taken(used), target, target.receipt().costUsd);
          },
        }),
      );
      if (body.stream) {
        const events = chatEvents(
          engine,
          model,
          options(),
          requestId,
          body.stream_options?.include_usage === true,
          note,
        );
        // The first event is waited for, so that a refusal is an HTTP error and not a broken stream.
        const first = await events.next();
        streaming = true;
        const source = Readable.from(
          (async function* () {
            try {
              if (!first.done) yield first.value;
              yield* events;
              keep(target.receipt());
              tracer.finish(requestId, 'COMPLETED');
            } catch (thrown) {
              const error = toAppError(thrown);
              keep(target.receipt());
              traceFailure(tracer, requestId, error);
              yield `data: ${JSON.stringify({ error: { message: error.message, type: 'server_error', param: null, code: error.code } })}\n\n`;
            }
          })(),
          { objectMode: false, highWaterMark: 16_384 },
        );
        source.on('close', () => {
          leave();
          keep(target.receipt());
          tracer.finish(requestId, 'FAILED', {
            code: 'cancelled',
            class: 'Cancelled',
            message: 'The client went away.',
            stage: 'stream',
            retryable: true,
          });
        });
        reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          .header('cache-control', 'no-cache')
          .header('x-accel-buffering', 'no');
        return reply.send(source);
      }
      const result = await engine.doGenerate(options());
      keep(target.receipt());
      tracer.finish(requestId, 'COMPLETED');
      const answer = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
      const thought = result.content.map((part) => (part.type === 'reasoning' ? part.text : '')).join('');
      const calls = result.content.filter((part) => part.type === 'tool-call').map(toToolCall);
      return {
        id: `chatcmpl-${requestId}`,
        object: 'chat.completion',
        created: Math.floor(Date.now() / 1_000),
        model,
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: answer === '' && calls.length > 0 ? null : answer,
              refusal: null,
              ...(thought === '' ? {} : { reasoning_content: thought }),
              ...(calls.length > 0 ? { tool_calls: calls } : {}),
            },
            logprobs: null,
            finish_reason: finishReason(result.finishReason.unified),
          },
        ],
        usage: toOpenAiUsage([result.usage]),
        ...(note ? { venom: { ran_with: note } } : {}),
      };
    } catch (error) {
      keep(target.receipt());
      traceFailure(tracer, requestId, toAppError(error));
      throw error;
    } finally {
      if (!streaming) leave();
    }
  });

  app.post('/embeddings', { schema: { body: EmbeddingRequest, tags } }, async ({ body }, reply) => {
    const { runtime, model } = await models.resolve(body.model);
    const dimensions = body.dimensions ?? undefined;
    const { vectors, tokens } = await embedInTime(reply, embeddingTimeoutMs, (signal) =>
      runtime.embed(model, embedInputs(body.input), signal, { dimensions }),
    );
    checkDimensions(vectors, dimensions);
    const encode = (vector: number[]) =>
      body.encoding_format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector;
    return {
      object: 'list',
      model,
      data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  });
};

/** One text is a string or a list of numbers; several are a list of those. */
function embedInputs(input: EmbeddingRequest['input']): readonly EmbedInput[] {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'number' ? [input as number[]] : (input as EmbedInput[]);
}

async function* chatEvents(
  engine: LanguageModelV4,
  model: string,
  options: LanguageModelV4CallOptions,
  requestId: string,
  withUsage: boolean,
  note: RanWith | undefined,
): AsyncGenerator<string> {
  const { stream } = await engine.doStream(options);
  const head = {
    id: `chatcmpl-${requestId}`,
    object: 'chat.completion.chunk',
    created: Math.floor(Date.now() / 1_000),
    model,
  };
  const event = (choices: unknown[], rest: object = {}) => `data: ${JSON.stringify({ ...head, choices, ...rest })}\n\n`;
  let started = false;
  /** Ids of the calls shown so far, in their order. */
  const calls: string[] = [];
  const furtherDelta = (delta: object) => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: null };
    if (!started) choice.delta = { role: 'assistant', content: null, ...delta };
    started = true;
    return event([choice]);
  };
  for await (const part of stream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'reasoning-delta') yield furtherDelta({ reasoning_content: part.delta });
    else if (part.type === 'text-delta') {
      yield event([
        {
          index: 0,
          delta: { ...(started ? {} : { role: 'assistant' }), content: part.delta },
          logprobs: null,
          finish_reason: null,
        },
      ]);
      started = true;
    } else if (part.type === 'tool-input-start') {
      const { id, toolName } = part;
      const call = toToolCall({ toolCallId: id, toolName, input: '' });
      yield furtherDelta({ tool_calls: [{ index: calls.push(id) - 1, ...call }] });
    } else if (part.type === 'tool-input-delta') {
      const index = calls.indexOf(part.id);
      if (index >= 0) yield furtherDelta({ tool_calls: [{ index, function: { arguments: part.delta } }] });
    } else if (part.type === 'tool-call' && !calls.includes(part.toolCallId)) {
      // Whole, from engines that hand calls on at their end only.
      yield furtherDelta({ tool_calls: [{ index: calls.push(part.toolCallId) - 1, ...toToolCall(part) }] });
    } else if (part.type === 'finish') {
      yield event(
        [
          {
            index: 0,
            delta: started ? {} : { role: 'assistant', content: '' },
            logprobs: null,
            finish_reason: finishReason(part.finishReason.unified),
          },
        ],
        note ? { venom: { ran_with: note } } : {},
      );
      if (withUsage) yield event([], { usage: toOpenAiUsage([part.usage]) });
    }
  }
  yield 'data: [DONE]\n\n';
}

const toToolCall = ({ toolCallId, toolName, input }: { toolCallId: string; toolName: string; input: string }) => ({
  id: toolCallId,
  type: 'function',
  function: { name: toolName, arguments: input },
});

/** Without lists and maps, which may be long and are the client's own anyway. */
const plain = (sent: RanWith['sent']): RanWith['sent'] =>
  Object.fromEntries(Object.entries(sent).filter(([, value]) => typeof value !== 'object'));

/** What is no text. @throws AppError `unsupported` where a part points somewhere, which an engine behind us would fetch */
function furtherParts({ messages }: ChatCompletionRequest): { type: string }[] {
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
  const others = parts.filter(({ type }) => type !== 'text');
  for (const part of others) refuseAddresses(part);
  return others;
}

function textOf(content: ChatCompletionRequest['messages'][number]['content']): string {
  return typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content.map(({ text }) => text ?? '').join('')
      : '';
}

/** What people said; of everything else only shapes count, and the gate looks for those. */
const saidText = (body: ChatCompletionRequest): string =>
  body.messages
    .filter(({ role }) => role === 'user')
    .map(({ content }) => textOf(content))
    .join('\n');

function lastUserText(body: ChatCompletionRequest): string {
  return textOf(body.messages.findLast(({ role }) => role === 'user')?.content);
}
