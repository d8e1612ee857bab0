// OpenAI's Responses API: what of a request is understood. What is not named here is refused, not passed over.
import { z } from 'zod';

/** Items are told apart by `type`, messages may go without one; they are read where they are translated. */
export const ResponseItem = z.looseObject({
  type: z.string().max(100).optional(),
  role: z.string().max(20).optional(),
});
export type ResponseItem = z.output<typeof ResponseItem>;

export const ResponseTool = z.looseObject({
  type: z.string().max(100),
  name: z.string().min(1).max(128).optional(),
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
});
export type ResponseTool = z.output<typeof ResponseTool>;

const Format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string().max(64),
    schema: z.looseObject({}),
  }),
]);

export const ResponseRequest = z.strictObject({
  model: z.string().min(1).max(300),
  input: z.union([z.string(), z.array(ResponseItem).max(4_096)]).optional(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().min(1).max(100).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_obfuscation: z.boolean().optional() }).nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  tools: z.array(ResponseTool).max(128).nullish(),
  tool_choice: z
    .union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string(), name: z.string().optional() })])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.strictObject({ format: Format.optional(), verbosity: z.enum(['low', 'medium', 'high']).nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().max(20).nullish(), summary: z.string().max(20).nullish() }).nullish(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, 'at most 16 pairs')
    .nullish(),
  // Nothing is ever left out of a conversation; one that is too long is refused either way.
  truncation: z.enum(['disabled', 'auto']).nullish(),
  background: z.literal(false).nullish(),
  top_logprobs: z.literal(0).nullish(),
  include: z.array(z.literal('reasoning.encrypted_content')).max(1).nullish(),
  // Harmless where there is no such cache, price list or tool.
  max_tool_calls: z.int().min(1).nullish(),
  prompt_cache_key: z.string().max(1_000).nullish(),
  prompt_cache_retention: z.string().max(20).nullish(),
  prompt_cache_options: z.looseObject({}).nullish(),
  safety_identifier: z.string().max(1_000).nullish(),
  service_tier: z.enum(['auto', 'default']).nullish(),
  user: z.string().max(1_000).nullish(),
  // Clients that name every field name these too.
  conversation: z.null().optional(),
  prompt: z.null().optional(),
  moderation: z.null().optional(),
  context_management: z.null().optional(),
});
export type ResponseRequest = z.output<typeof ResponseRequest>;

export const ResponseParams = z.object({ response_id: z.string().min(1).max(100) });
