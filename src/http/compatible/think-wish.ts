// What clients of OpenAI's APIs say of a model's thoughts, in the words of our own calls.

type Wish = boolean | 'low' | 'medium' | 'high';

const EFFORTS: Readonly<Record<string, Wish>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

interface Said {
  reasoning_effort?: string | null | undefined;
  /** As servers of llama.cpp and vLLM take it. */
  chat_template_kwargs?: Readonly<Record<string, unknown>> | null | undefined;
}

/** For `providerOptions.venom`; empty where nothing was said that we know. */
export function thinkWish({ reasoning_effort, chat_template_kwargs }: Said): { think?: Wish } {
  const { enable_thinking, thinking } = chat_template_kwargs ?? {};
  const switched = enable_thinking ?? thinking;
  if (switched === false) return { think: false };
  const effort = EFFORTS[reasoning_effort ?? ''];
  if (effort !== undefined) return { think: effort };
  return switched === true ? { think: true } : {};
}
