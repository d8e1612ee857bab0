// /api/*: what Ollama's clients call to chat, to embed, and to see, fetch and remove models.
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  OllamaChatRequest,
  OllamaCopyRequest,
  OllamaCreateRequest,
  OllamaDeleteRequest,
  OllamaEmbeddingsRequest,
  OllamaEmbedRequest,
  OllamaGenerateRequest,
  OllamaPullRequest,
  OllamaPushRequest,
  OllamaShowRequest,
} from '../../contract/ollama.js';
import type { DerivedModels } from '../../models/derived-models.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { ModelOperation } from '../../models/model-operation.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import { removeModel } from '../../models/model-removal.js';
import { pulledAs } from '../../models/pull-name.js';
import type { EmbedTreatment, Runtime } from '../../runtimes/runtime.js';
import { AppError } from '../../shared/errors.js';
import { type CompatibleAnswers, readWhole } from '../compatible/answers.js';
import { embedInTime } from '../compatible/embed-in-time.js';
import { checkDimensions } from '../compatible/embedding-dimensions.js';
import { emptyAnswer, type OllamaKind, ollamaLines, toOllamaAnswer } from '../compatible/ollama-answer.js';
import { toOllamaChatCall, toOllamaGenerateCall, unloadsAfter } from '../compatible/ollama-call.js';
import { toRunning, toShown, toTag } from '../compatible/ollama-models.js';
import { type FollowedOperations, operationLines, operationWhole } from '../compatible/ollama-operation.js';
import { sendStream } from '../compatible/stream-reply.js';
import { readJsonBody } from '../json-body.js';

export interface OllamaRoutesOptions extends FollowedOperations {
  models: ModelManager;
  registry: ModelRegistry;
  derived: DerivedModels;
  answers: CompatibleAnswers;
  /** For the vectors of one request. */
  embeddingTimeoutMs: number;
  /** Milliseconds since the epoch; null where nobody wrote it down. */
  installedAt: (model: string) => number | null;
  /** Of Venom itself. */
  version: string;
}

/** Whose API this is: clients look here for what they may ask. */
const API_LEVEL = '0.9.0';
const LATEST = ':latest';
const LOAD_LIMIT_MS = 600_000;

export const ollamaRoutes: FastifyPluginAsyncZod<OllamaRoutesOptions> = async (
  app,
  { models, registry, operations, onOperation, derived, answers, embeddingTimeoutMs, installedAt, version },
) => {
  const tags = ['ollama'];
  const followed = { operations, onOperation };
  // Ollama reads JSON whatever it is called, and its documentation shows requests without a content type.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readJsonBody(body as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });

  app.get('/version', { schema: { tags } }, async () => ({ version: API_LEVEL, venom: version }));

  app.get('/tags', { schema: { tags } }, async () => {
    const { models: found } = await models.list();
    return {
      models: found.filter(({ problem }) => problem === null).map((model) => toTag(model, installedAt(model.name))),
    };
  });

  app.get('/ps', { schema: { tags } }, async () => {
    const [loaded, { models: found }] = await Promise.all([models.loaded(), models.list()]);
    return {
      models: loaded.map((one) =>
        toRunning(
          one,
          found.find(({ name }) => name === one.name),
        ),
      ),
    };
  });

  app.post('/show', { schema: { body: OllamaShowRequest, tags } }, async ({ body }) => {
    const name = await installedName(body.model || body.name || '');
    const found = await models.find(name);
    if (!found) throw new AppError('model_not_found', `model '${name}' not found`);
    const [description, abilities] = await Promise.all([
      models.describe(name),
      models.abilities(name, found.runtime.provider),
    ]);
    return toShown(found.model, description, abilities, installedAt(name));
  });

  app.post('/pull', { schema: { body: OllamaPullRequest, tags } }, async ({ body }, reply) => {
    const asked = body.model || body.name || '';
    const there = await models.find(await installedName(asked));
    // An Ollama looks for a newer one by itself.
    if (there && there.runtime.provider !== 'ollama') return { status: 'success' };
    const target = await registry.pullTarget(asked);
    const operation = registry.install(target.name, target.provider, target.runtime);
    return follow(operation, body.stream, reply);
  });

  app.post('/copy', { schema: { body: OllamaCopyRequest, tags } }, async ({ body }, reply) => {
    await operationWhole(followed, await derived.copy(await installedName(body.source), body.destination));
    return reply.status(200).send();
  });

  app.post('/create', { schema: { body: OllamaCreateRequest, tags } }, async ({ body }, reply) => {
    const { model, name, from, files, adapters, stream, ...further } = body;
    if (Object.keys({ ...files, ...adapters }).length > 0)
      throw new AppError('unsupported', 'Files are not taken over this API; venom models adopt brings local ones in.');
    if (!from) throw new AppError('invalid_input', 'from: the installed model to make it of is needed.');
    const derivation = { ...given(further), from: await installedName(from) };
    return follow(await derived.derive(model || name || '', derivation), stream, reply);
  });

  app.post('/push', { schema: { body: OllamaPushRequest, tags } }, async ({ body }) => {
    throw new AppError(
      'unsupported',
      `Models are not sent to a library from here, ${body.model || body.name} neither.`,
    );
  });

  app.delete('/delete', { schema: { body: OllamaDeleteRequest, tags } }, async ({ body }, reply) => {
    const name = await installedName(body.model || body.name || '');
    // Its clients cannot say which engine they mean: it is the one that answers them.
    await removeModel({ models, registry, operations }, name, (await models.find(name))?.runtime.provider);
    return reply.status(200).send();
  });

  app.post('/chat', { schema: { body: OllamaChatRequest, tags } }, async ({ body }, reply) => {
    nameUnknown(OllamaChatRequest.shape, body, reply);
    const model = await installedName(body.model);
    if (!body.messages?.length) return bring('chat', model, body.keep_alive);
    return answer('chat', model, toOllamaChatCall(body), body, reply);
  });

  app.post('/generate', { schema: { body: OllamaGenerateRequest, tags } }, async ({ body }, reply) => {
    nameUnknown(OllamaGenerateRequest.shape, body, reply);
    const model = await installedName(body.model);
    if (!body.prompt) return bring('generate', model, body.keep_alive);
    return answer('generate', model, toOllamaGenerateCall(body), body, reply);
  });

  app.post('/embed', { schema: { body: OllamaEmbedRequest, tags } }, async ({ body }, reply) => {
    const startedAt = performance.now();
    // As with Ollama, an empty text alone is nothing to embed.
    const texts = typeof body.input === 'string' ? [body.input].filter(Boolean) : body.input;
    const { model, vectors, tokens } = await embed(reply, body.model, texts, {
      truncate: body.truncate ?? true,
      dimensions: body.dimensions ?? undefined,
    });
    checkDimensions(vectors, body.dimensions);
    return {
      model,
      embeddings: vectors.map(toUnitLength),
      total_duration: Math.round((performance.now() - startedAt) * 1_000_000),
      load_duration: 0,
      prompt_eval_count: tokens,
    };
  });

  app.post('/embeddings', { schema: { body: OllamaEmbeddingsRequest, tags } }, async ({ body }, reply) => {
    const { vectors } = await embed(reply, body.model, [body.prompt], { truncate: true });
    return { embedding: vectors[0] ?? [] };
  });

  async function follow(operation: ModelOperation, stream: boolean | null | undefined, reply: FastifyReply) {
    if (stream === false) return operationWhole(followed, operation);
    return sendStream(reply, 'application/x-ndjson', operationLines(followed, operation));
  }

  /** What Ollama's clients call `name` or `name:latest`, or by the address it was pulled from, may have another name here. */
  async function installedName(name: string): Promise<string> {
    const found = await models.find(name);
    if (found) return found.model.name;
    const pulled = pulledAs(name, registry.manifests());
    if (pulled) return pulled;
    const other = name.endsWith(LATEST) ? name.slice(0, -LATEST.length) : name + LATEST;
    return (await models.find(other)) ? other : name;
  }

  async function embed(reply: FastifyReply, name: string, texts: readonly string[], treatment: EmbedTreatment) {
    const { runtime, model } = await models.resolve(await installedName(name));
    if (texts.length === 0) return { model, vectors: [], tokens: 0 };
    const made = await embedInTime(reply, embeddingTimeoutMs, (signal) =>
      runtime.embed(model, texts, signal, treatment),
    );
    return { model, ...made };
  }

  async function answer(
    kind: OllamaKind,
    model: string,
    options: Parameters<CompatibleAnswers['ask']>[0]['options'],
    { stream, keep_alive, think }: Pick<OllamaChatRequest, 'stream' | 'keep_alive' | 'think'>,
    reply: Parameters<CompatibleAnswers['ask']>[0]['reply'],
  ) {
    const unload = unloadsAfter(keep_alive) ? await unloader(model) : undefined;
    // When the client has its answer, or has left. It is the same answer where an engine sees to its memory itself.
    if (unload)
      reply.raw.on(
        'close',
        () => void unload().catch((error) => app.log.warn({ err: error }, 'a model was not freed')),
      );
    const asked = await answers.ask({ api: 'Ollama', model, options, reply });
    if (stream !== false) return sendStream(reply, 'application/x-ndjson', ollamaLines(kind, asked, think !== false));
    return toOllamaAnswer(kind, asked, await readWhole(asked), think !== false);
  }

  /** A request without words: the model itself is wanted, or wanted away. */
  async function bring(kind: OllamaKind, model: string, keepAlive: OllamaChatRequest['keep_alive']) {
    const unloads = unloadsAfter(keepAlive);
    if (unloads) {
      const unload = await unloader(model);
      if (!unload) throw new AppError('unsupported', `The engine of ${model} manages its memory itself.`);
      await unload();
    } else await (await models.resolve(model)).runtime.load?.(model, AbortSignal.timeout(LOAD_LIMIT_MS));
    return emptyAnswer(kind, model, unloads ? 'unload' : 'load');
  }

  /** Undefined where the engine sees to its memory itself. */
  async function unloader(model: string): Promise<(() => Promise<void>) | undefined> {
    const { runtime }: { runtime: Runtime } = await models.resolve(model);
    return runtime.unload && (async () => runtime.unload?.(model, AbortSignal.timeout(LOAD_LIMIT_MS)));
  }
};

const UNKNOWN_FIELDS = 'x-venom-unknown-fields';
const MAX_UNKNOWN_FIELDS = 20;

/** Ollama passes over what it does not know, so its clients send whatever they like; here they can see it. */
function nameUnknown(known: object, body: object, reply: FastifyReply): void {
  const names = Object.keys(body).filter((name) => !Object.hasOwn(known, name) && /^\w{1,60}$/.test(name));
  if (names.length > 0) reply.header(UNKNOWN_FIELDS, names.slice(0, MAX_UNKNOWN_FIELDS).join(', '));
}

function toUnitLength(vector: number[]): number[] {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((value) => value / length) : vector;
}

/** Without what is null, which Ollama would have to understand. */
const given = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
