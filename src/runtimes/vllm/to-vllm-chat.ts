// A call of the AI SDK's contract as the body of vLLM's chat completions: OpenAI's, with vLLM's extra parameters.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { withoutUndefined } from '../function-tools.js';
import { toOpenAiChat } from '../openai-compatible/to-openai-chat.js';

/** @param contextLength  tokens of the model, where the server said so */
export function toVllmChat(
  model: string,
  options: LanguageModelV4CallOptions,
  contextLength?: number,
): Record<string, unknown> {
  // The last three are Ollama's words; vLLM warns of fields it does not know.
  const { format, think, keep_alive: _, ...body } = toOpenAiChat(model, options, 'vllm', contextLength);
  return withoutUndefined({
    ...body,
    // `guided_json` is gone since 0.12, and `structured_outputs` is not known before 0.11: this one every version takes.
    response_format: body['response_format'] ?? toResponseFormat(format),
    // What reasoning models of the Qwen3 kind listen to.
    chat_template_kwargs: typeof think === 'boolean' ? { enable_thinking: think } : undefined,
  });
}

function toResponseFormat(format: unknown): Record<string, unknown> | undefined {
  if (format === 'json') return { type: 'json_object' };
  if (typeof format !== 'object' || format === null) return undefined;
  return { type: 'json_schema', json_schema: { name: 'answer', schema: format } };
}
