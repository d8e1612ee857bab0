// The parameters of sampling that every form of OpenAI's calls the same, as the AI SDK calls them.

interface Sampling {
  temperature?: number | null | undefined;
  top_p?: number | null | undefined;
  top_k?: number | null | undefined;
  seed?: number | null | undefined;
  frequency_penalty?: number | null | undefined;
  presence_penalty?: number | null | undefined;
  stop?: string | string[] | null | undefined;
}

export const samplingOf = (body: Sampling) => ({
  temperature: body.temperature ?? undefined,
  topP: body.top_p ?? undefined,
  topK: body.top_k ?? undefined,
  seed: body.seed ?? undefined,
  frequencyPenalty: body.frequency_penalty ?? undefined,
  presencePenalty: body.presence_penalty ?? undefined,
  stopSequences: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? undefined),
});
