// Generation parameters under their generic names: out of a call of the AI SDK's contract, or out of an OpenAI-style body.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';

export type GenericParams = Readonly<Record<string, unknown>>;

/** What an OpenAI-style body may say of sampling, by name. */
export const BODY_PARAMS = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'repeat_penalty',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'stop',
  'logprobs',
  'top_logprobs',
  'logit_bias',
] as const;

export function paramsOfCall(call: Omit<LanguageModelV4CallOptions, 'prompt'>): GenericParams {
  const own = (call.providerOptions?.['venom'] ?? {}) as Record<string, unknown>;
  return {
    max_tokens: call.maxOutputTokens,
    temperature: call.temperature,
    top_p: call.topP,
    top_k: call.topK,
    min_p: own['minP'],
    repeat_penalty: own['repeatPenalty'],
    frequency_penalty: call.frequencyPenalty,
    presence_penalty: call.presencePenalty,
    seed: call.seed,
    stop: call.stopSequences,
    logprobs: own['logprobs'],
    top_logprobs: own['topLogprobs'],
    think: own['think'],
  };
}

export function paramsOfBody(body: Readonly<Record<string, unknown>>): GenericParams {
  const params: Record<string, unknown> = { max_tokens: body['max_completion_tokens'] ?? body['max_tokens'] };
  for (const name of BODY_PARAMS) params[name] = body[name];
  return params;
}

/** The body with other parameters in place of its own; what it is about besides stays as it came. */
export function withBodyParams(body: Readonly<Record<string, unknown>>, sent: GenericParams): Record<string, unknown> {
  const { max_tokens: _older, max_completion_tokens: newer, ...others } = body;
  const rest: Record<string, unknown> = others;
  for (const name of BODY_PARAMS) delete rest[name];
  const { max_tokens, ...params } = sent;
  // Some servers take the newer name only, so the one that was asked with stays.
  const limit =
    max_tokens === undefined ? {} : { [newer === undefined ? 'max_tokens' : 'max_completion_tokens']: max_tokens };
  return { ...rest, ...params, ...limit };
}

// A slip of the pen or another engine's word; what is about something else is nobody's business here.
const ABOUT_GENERATION =
  /^(temp(?!late)|top_?[akpn](?![a-z])|min_?p|typical|tfs|num_|max_?[nt]|n$|best_of|dry_|xtc_|dynatemp|do_sample|ignore_eos|seed|stop)|penal|sampl|mirostat|beam|logit|logprob|repetition|repeat|reason|verbos|new_tokens|guided_|grammar/i;
const MAX_NAMES = 20;
const MAX_NAME_CHARS = 60;

/** Fields of a body that nobody here knows and that look as if they were meant for the engine. */
export function unknownParams(body: object, known: ReadonlySet<string>): string[] {
  const names: string[] = [];
  for (const name in body) {
    if (known.has(name) || !ABOUT_GENERATION.test(name)) continue;
    names.push(name.slice(0, MAX_NAME_CHARS));
    if (names.length === MAX_NAMES) break;
  }
  return names;
}
