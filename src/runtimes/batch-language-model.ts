// Batches of parts, as our engines give them, as a model in the AI SDK's contract.
import { ReadableStream } from 'node:stream/web';
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
} from '@ai-sdk/provider';
import { AppError } from '../shared/errors.js';

type Batches = (options: LanguageModelV4CallOptions) => Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>>;

export class BatchLanguageModel implements LanguageModelV4 {
  readonly specificationVersion = 'v4';
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls = {};
  readonly #batches: Batches;

  constructor(provider: string, modelId: string, batches: Batches) {
    this.provider = provider;
    this.modelId = modelId;
    this.#batches = batches;
  }

  async doStream(options: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    const batches = await this.#batches(options);
    return { stream: ReadableStream.from(parts(batches)) as LanguageModelV4StreamResult['stream'] };
  }

  async doGenerate(options: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    let text = '';
    let thought = '';
    const calls: Extract<LanguageModelV4StreamPart, { type: 'tool-call' }>[] = [];
    for await (const batch of await this.#batches(options)) {
      for (const part of batch) {
        if (part.type === 'text-delta') text += part.delta;
        else if (part.type === 'reasoning-delta') thought += part.delta;
        else if (part.type === 'tool-call') calls.push(part);
        else if (part.type === 'error') throw part.error;
        else if (part.type === 'finish')
          return {
            content: [
              ...(thought === '' ? [] : [{ type: 'reasoning' as const, text: thought }]),
              ...(text === '' ? [] : [{ type: 'text' as const, text }]),
              ...calls,
            ],
            finishReason: part.finishReason,
            usage: part.usage,
            warnings: [],
          };
      }
    }
    throw new AppError('upstream_truncated', 'The engine ended an answer without saying so.');
  }
}

async function* parts(
  batches: AsyncIterable<readonly LanguageModelV4StreamPart[]>,
): AsyncGenerator<LanguageModelV4StreamPart> {
  yield { type: 'stream-start', warnings: [] };
  let started = false;
  let thinking: string | null = null;
  for await (const batch of batches) {
    for (const part of batch) {
      if (part.type === 'reasoning-delta') {
        if (thinking === null) yield { type: 'reasoning-start', id: part.id };
        thinking = part.id;
      } else if (thinking !== null) {
        yield { type: 'reasoning-end', id: thinking };
        thinking = null;
      }
      if (part.type === 'text-delta' && !started) {
        started = true;
        yield { type: 'text-start', id: part.id };
      }
      if (part.type === 'finish' && started) yield { type: 'text-end', id: 'text' };
      yield part;
    }
  }
}
