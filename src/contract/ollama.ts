// Ollama's API: what of a request is understood. Of chat and generate what is not named here is passed over, as Ollama
// itself does, and named in a header of the answer.
import { z } from 'zod';

const Model = z.string().min(1).max(300);
const KeepAlive = z.union([z.number(), z.string().max(20)]).nullish();
const Format = z.union([z.literal('json'), z.literal(''), z.looseObject({})]).nullish();
const Think = z.union([z.boolean(), z.enum(['high', 'medium', 'low'])]).nullish();

/** Those every engine knows are read, the others go to engines of Ollama's kind alone. */
export const OllamaOptions = z.looseObject({
  num_predict: z.int().nullish(),
  temperature: z.number().min(0).max(5).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().max(1_000), z.array(z.string().max(1_000)).max(16)]).nullish(),
  repeat_penalty: z.number().min(0).max(10).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
});
export type OllamaOptions = z.output<typeof OllamaOptions>;

const common = {
  model: Model,
  stream: z.boolean().nullish(),
  format: Format,
  options: OllamaOptions.nullish(),
  keep_alive: KeepAlive,
  think: Think,
  logprobs: z.literal(false).nullish(),
  top_logprobs: z.literal(0).nullish(),
  // Not of Ollama: client libraries that speak several APIs send them here too, and mean it.
  max_output_tokens: z.int().min(1).nullish(),
};

const Images = z.array(z.base64()).max(64).nullish();

export const OllamaMessage = z.looseObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string().nullish(),
  images: Images,
  tool_calls: z
    .array(
      z.looseObject({
        id: z.string().max(200).optional(),
        function: z.looseObject({ name: z.string().max(200), arguments: z.looseObject({}).nullish() }),
      }),
    )
    .max(128)
    .nullish(),
  tool_name: z.string().max(200).nullish(),
  tool_call_id: z.string().max(200).nullish(),
});
export type OllamaMessage = z.output<typeof OllamaMessage>;

export const OllamaChatRequest = z.looseObject({
  ...common,
  messages: z.array(OllamaMessage).max(4_096).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({
          name: z.string().min(1).max(200),
          description: z.string().nullish(),
          parameters: z.looseObject({}).nullish(),
        }),
      }),
    )
    .max(128)
    .nullish(),
  tool_choice: z.union([z.enum(['auto', 'none', 'required']), z.looseObject({})]).nullish(),
});
export type OllamaChatRequest = z.output<typeof OllamaChatRequest>;

export const OllamaGenerateRequest = z.looseObject({
  ...common,
  prompt: z.string().nullish(),
  system: z.string().nullish(),
  images: Images,
  suffix: z.string().nullish(),
  template: z.string().max(200_000).nullish(),
  raw: z.boolean().nullish(),
  // Tokens of an earlier prompt no engine here takes.
  context: z.array(z.never()).nullish(),
});
export type OllamaGenerateRequest = z.output<typeof OllamaGenerateRequest>;

const Text = z.string().max(200_000);
export const OllamaEmbedRequest = z.strictObject({
  model: Model,
  input: z.union([Text, z.array(Text).max(2_048)]),
  truncate: z.boolean().nullish(),
  dimensions: z.int().min(1).max(100_000).nullish(),
  options: z.looseObject({}).nullish(),
  keep_alive: KeepAlive,
});

export const OllamaEmbeddingsRequest = z.strictObject({
  model: Model,
  prompt: Text,
  options: z.looseObject({}).nullish(),
  keep_alive: KeepAlive,
});

/** Older clients say `name`, some of them with an empty `model` beside it. */
const named = { model: z.string().max(300).optional(), name: z.string().max(300).optional() };
const hasName = ({ model, name }: { model?: string | undefined; name?: string | undefined }) => Boolean(model || name);

export const OllamaShowRequest = z.looseObject(named).refine(hasName, 'model is required');

export const OllamaPullRequest = z
  .looseObject({ ...named, stream: z.boolean().nullish(), insecure: z.literal(false).nullish() })
  .refine(hasName, 'model is required');

export const OllamaDeleteRequest = z.looseObject(named).refine(hasName, 'model is required');

const Name = z.string().min(1).max(300);
export const OllamaCopyRequest = z.looseObject({ source: Name, destination: Name });

const Words = z.string().max(200_000);
export const OllamaCreateRequest = z
  .strictObject({
    ...named,
    from: Name.nullish(),
    system: Words.nullish(),
    template: Words.nullish(),
    license: z.union([Words, z.array(Words).max(16)]).nullish(),
    parameters: z
      .record(
        z.string().min(1).max(100),
        z.union([z.number(), z.boolean(), z.string().max(1_000), z.array(z.string().max(1_000)).max(16)]),
      )
      .nullish(),
    messages: z.array(OllamaMessage).max(1_000).nullish(),
    quantize: z.string().max(20).nullish(),
    stream: z.boolean().nullish(),
    // Files that would have to be uploaded before.
    files: z.record(z.string().max(500), z.string().max(200)).nullish(),
    adapters: z.record(z.string().max(500), z.string().max(200)).nullish(),
  })
  .refine(hasName, 'model is required');
export type OllamaCreateRequest = z.output<typeof OllamaCreateRequest>;

export const OllamaPushRequest = z
  .looseObject({ ...named, stream: z.boolean().nullish() })
  .refine(hasName, 'model is required');
