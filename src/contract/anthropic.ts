// Anthropic's Messages API: what of a request is understood. What is not named here is refused, not passed over.
import { z } from 'zod';
import { whole } from './lax-values.js';

/** Blocks are told apart by `type`; which of them a model takes in is decided where they are translated. */
const Block = z.looseObject({ type: z.string().max(100) });
export type AnthropicBlock = z.output<typeof Block>;
const Content = z.union([z.string(), z.array(Block).max(4_096)]);

const Tool = z.looseObject({
  type: z.string().max(100).nullish(),
  name: z
    .string()
    .regex(/^[\w-]{1,128}$/)
    .optional(),
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }).optional(),
  strict: z.boolean().optional(),
});

const ToolChoice = z.looseObject({
  type: z.enum(['auto', 'any', 'tool', 'none']),
  name: z.string().optional(),
  disable_parallel_tool_use: z.boolean().optional(),
});

const Format = z.looseObject({ type: z.literal('json_schema'), schema: z.looseObject({}) });

const conversation = {
  model: z.string().min(1).max(300),
  messages: z
    .array(z.object({ role: z.enum(['user', 'assistant', 'system']), content: Content }))
    .min(1)
    .max(4_096),
  system: Content.optional(),
  tools: z.array(Tool).max(512).optional(),
  tool_choice: ToolChoice.optional(),
  thinking: z.looseObject({ type: z.enum(['enabled', 'disabled', 'adaptive', 'between_tools']) }).optional(),
  output_config: z
    .strictObject({
      // A wish, and no engine here knows it.
      effort: z.string().max(20).nullish(),
      format: Format.nullish(),
    })
    .optional(),
  // Where the format stood before there was output_config.
  output_format: Format.nullish(),
  // Harmless where there is no such cache, place or price list.
  cache_control: z.looseObject({}).nullish(),
  speed: z.literal('standard').nullish(),
  // Clients that name every field name these too.
  mcp_servers: z.array(z.never()).max(0).nullish(),
  billing_policy: z.null().optional(),
  compaction: z.null().optional(),
};

export const AnthropicCountRequest = z.strictObject(conversation);
export type AnthropicCountRequest = z.output<typeof AnthropicCountRequest>;

export const AnthropicRequest = z.strictObject({
  ...conversation,
  max_tokens: z.int().min(1),
  stream: z.boolean().optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  stop_sequences: z.array(z.string().min(1).max(1_000)).max(16).optional(),
  metadata: z.looseObject({ user_id: z.string().max(512).nullish() }).nullish(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  inference_geo: z.string().max(100).nullish(),
  container: z.null().optional(),
  fallbacks: z.null().optional(),
  fallback_credit_token: z.null().optional(),
  // Its library's tool runner asks for one, and goes on without where it is told that there is none.
  thread: z.looseObject({}).nullish(),
  diagnostics: z.looseObject({}).nullish(),
  context_management: z
    .strictObject({
      edits: z
        .array(
          z.looseObject({
            // The others would leave something out of the prompt.
            type: z
              .string()
              .regex(/^clear_thinking_/, 'only clear_thinking: former thoughts are never shown to a model'),
          }),
        )
        .max(16)
        .optional(),
    })
    .nullish(),
});
export type AnthropicRequest = z.output<typeof AnthropicRequest>;

/** Pages of the list of models. OpenAI's clients ask at the same address, and for no pages. */
export const ModelPageQuery = z
  .object({
    limit: whole(z.int().min(1).max(1_000)).optional(),
    after_id: z.string().max(300).optional(),
    before_id: z.string().max(300).optional(),
  })
  .refine(({ after_id, before_id }) => !after_id || !before_id, 'after_id or before_id, not both');
export type ModelPageQuery = z.output<typeof ModelPageQuery>;
