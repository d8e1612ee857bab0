// `models_translation`: POST /translate, whole or as a stream of what is ready.
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { TranslatedPiece, TranslationRequest, Translator } from '../../chat/translation/translator.js';
import { TranslateRequest, TranslateResponse } from '../../contract/translation.js';
import { toAppError } from '../../shared/errors.js';
import { whileOpen } from '../while-open.js';

export interface ModelsTranslationOptions {
  translator: Translator;
}

export const modelsTranslationRoutes: FastifyPluginAsyncZod<ModelsTranslationOptions> = async (app, { translator }) => {
  const tags = ['models'];

  app.post(
    '/translate',
    { schema: { body: TranslateRequest, response: { 200: TranslateResponse }, tags } },
    async ({ body }, reply) => {
      const { text, source, warnings } = await translator.translate(toRequest(body, reply));
      return {
        success: true as const,
        translated_text: text,
        target_lang: body.target_lang,
        source_lang: source,
        ...(warnings.length > 0 ? { warnings } : {}),
      };
    },
  );

  app.post('/translate/stream', { schema: { body: TranslateRequest, tags } }, async ({ body }, reply) => {
    const { source, pieces } = translator.begin(toRequest(body, reply));
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-cache')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(events(pieces, source, body.target_lang), { objectMode: false }));
  });
};

async function* events(
  pieces: AsyncIterable<TranslatedPiece>,
  source: string | null,
  target: string,
): AsyncGenerator<string> {
  yield event('start', { source_lang: source, target_lang: target });
  try {
    for await (const { text, warning } of pieces) {
      if (warning) yield event('warning', warning);
      yield event('content', { text });
    }
    yield event('done', {});
  } catch (thrown) {
    const { code, message } = toAppError(thrown);
    yield event('error', { code, message, error: message });
  }
}

const event = (name: string, payload: unknown): string => `event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`;

function toRequest(body: z.output<typeof TranslateRequest>, reply: FastifyReply): TranslationRequest {
  return {
    text: body.text,
    target: body.target_lang,
    source: body.source_lang || undefined,
    useCache: body.use_cache,
    allowAny: body.allow_any,
    // The model stops when nobody waits any more.
    signal: whileOpen(reply),
  };
}
