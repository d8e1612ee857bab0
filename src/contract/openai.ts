// The OpenAI-compatible surface: what of a request is read here. Unknown fields are passed on where an engine takes them.
import { z } from 'zod';

const Part = z.looseObject({ type: z.string(), text: z.string().optional() });
const Message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(Part)]).nullish(),
  tool_calls: z.array(z.looseObject({})).max(128).nullish(),
  tool_call_id: z.string().max(500).nullish(),
});

/** -1 is how local servers write that there is no limit. */
const MaxTokens = z.preprocess((value) => (value === -1 ? undefined : value), z.int().min(1).nullish());

/** What chat and the completions of the old kind are sampled by. */
const SAMPLING = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  repeat_penalty: z.number().min(0).max(10).nullish(),
};

/** How a server of llama.cpp keeps its contexts is not its callers' business: a negative `n_discard` wrote into foreign memory. */
const OF_THE_SERVER = ['n_discard', 'n_keep', 'n_predict', 'n_ctx', 'id_slot', 'slot_id', 'lora'];

export const ChatCompletionRequest = z
  .looseObject({
    model: z.string().min(1).max(300),
    messages: z.array(Message).min(1).max(4_096),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    max_tokens: MaxTokens,
    max_completion_tokens: MaxTokens,
    ...SAMPLING,
    n: z.int().min(1).max(128).nullish(),
    response_format: z.looseObject({ type: z.string() }).nullish(),
    tools: z.array(z.looseObject({})).max(128).nullish(),
    tool_choice: z.union([z.string().max(200), z.looseObject({})]).nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    reasoning_effort: z.string().max(20).nullish(),
    chat_template_kwargs: z.looseObject({}).nullish(),
  })
  .refine((body) => !OF_THE_SERVER.some((name) => name in body), {
    message: `${OF_THE_SERVER.join(', ')} are not taken: they are about the server, not about the answer`,
  });
export type ChatCompletionRequest = z.output<typeof ChatCompletionRequest>;

const Tokens = z.array(z.int().min(0).max(10_000_000)).min(1).max(1_000_000);

/** The completions of the old kind. What is not named here is refused, not passed over. */
export const CompletionRequest = z.strictObject({
  model: z.string().min(1).max(300),
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(32), Tokens, z.array(Tokens).min(1).max(32)]),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: MaxTokens,
  ...SAMPLING,
  echo: z.boolean().nullish(),
  n: z.int().min(1).max(128).nullish(),
  best_of: z.int().min(1).max(128).nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  logit_bias: z.record(z.string().max(20), z.number()).nullish(),
  suffix: z.string().nullish(),
  user: z.string().max(1_000).nullish(),
});
export type CompletionRequest = z.output<typeof CompletionRequest>;

/** Of the model's own vocabulary. */
const TokenIds = z.array(z.int().min(0).max(2_147_483_647)).min(1).max(200_000);

export const EmbeddingRequest = z.looseObject({
  model: z.string().min(1).max(300),
  input: z.union(
    [
      z.string().min(1).max(200_000),
      z.array(z.string().min(1).max(200_000)).min(1).max(2_048),
      TokenIds,
      z.array(TokenIds).min(1).max(2_048),
    ],
    'a text, a list of 1 to 2,048 texts, or token numbers in the place of a text; none of them empty',
  ),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).max(100_000).nullish(),
});
export type EmbeddingRequest = z.output<typeof EmbeddingRequest>;
