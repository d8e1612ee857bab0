// What the makers of model families publish about sampling, in generic names. Only what is certain: a family without an
// entry gets the defaults of all.

export interface ModelFamily {
  name: string;
  /** From the model card or the generation configuration that comes with the weights. */
  sampling: Readonly<Record<string, number>>;
}

/** The first that matches; names of one family that differ come before the family itself. */
const FAMILIES: readonly (ModelFamily & { matches: RegExp })[] = [
  { name: 'SmolLM3', matches: /smollm-?3/i, sampling: { temperature: 0.6, top_p: 0.95 } },
  { name: 'SmolLM2', matches: /smollm-?2/i, sampling: { temperature: 0.2, top_p: 0.9 } },
  // A distillation bears its student's name beside its teacher's, and samples like the teacher.
  { name: 'DeepSeek R1', matches: /deepseek-?r1/i, sampling: { temperature: 0.6, top_p: 0.95 } },
  { name: 'Gemma 3', matches: /gemma-?3/i, sampling: { temperature: 1, top_k: 64, top_p: 0.95, repeat_penalty: 1 } },
  {
    name: 'Qwen 3 Instruct',
    matches: /qwen-?3(?!\.).*instruct/i,
    sampling: { temperature: 0.7, top_k: 20, top_p: 0.8, repeat_penalty: 1 },
  },
  {
    name: 'Qwen 3',
    matches: /qwen-?3(?!\.)(?!.*(embed|rerank|coder))/i,
    sampling: { temperature: 0.6, top_k: 20, top_p: 0.95, repeat_penalty: 1 },
  },
  {
    name: 'Qwen 2.5',
    matches: /qwen-?2\.5(?!.*(embed|coder|math))/i,
    sampling: { temperature: 0.7, top_k: 20, top_p: 0.8 },
  },
  { name: 'Mistral Small 3', matches: /mistral-small-?(3|24b|2501|2503|2506)/i, sampling: { temperature: 0.15 } },
  { name: 'Mistral Nemo', matches: /mistral-nemo/i, sampling: { temperature: 0.3 } },
  {
    name: 'Phi 4 reasoning',
    matches: /phi-?4.*reasoning/i,
    sampling: { temperature: 0.8, top_k: 50, top_p: 0.95, repeat_penalty: 1 },
  },
  { name: 'Llama 3', matches: /llama-?3/i, sampling: { temperature: 0.6, top_p: 0.9, repeat_penalty: 1 } },
];

export const familyOf = (modelName: string): ModelFamily | undefined =>
  FAMILIES.find(({ matches }) => matches.test(modelName));
