// A call as the cloud's clients take it: what Direct mode hands on for our own engines in its own words is put into the
// AI SDK's, and nothing else of ours goes along.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { ownTools } from '../function-tools.js';

export function toCloudOptions(options: LanguageModelV4CallOptions): LanguageModelV4CallOptions {
  const { venom, ...providerOptions } = (options.providerOptions ?? {}) as Record<string, Record<string, unknown>>;
  const { topK: _unknownToClouds, ...call } = options;
  const format = venom?.['responseFormat'] as { type?: unknown } | undefined;
  return {
    ...call,
    providerOptions: providerOptions as NonNullable<LanguageModelV4CallOptions['providerOptions']>,
    ...ownTools(options),
    ...(!call.responseFormat && format?.type === 'json_object' ? { responseFormat: { type: 'json' as const } } : {}),
  };
}
