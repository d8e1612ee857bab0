// What looks local and is not: addresses of well-known clouds, and models that a local server has run elsewhere. What is
// asked as local is asked with everything.

const CLOUD_HOSTS =
  'openai.com openai.azure.com azure.com googleapis.com anthropic.com mistral.ai groq.com together.ai together.xyz openrouter.ai deepseek.com cohere.com cohere.ai perplexity.ai fireworks.ai x.ai amazonaws.com huggingface.co replicate.com nvidia.com cerebras.ai ollama.com'.split(
    ' ',
  );

/** Ollama lists models of its own cloud beside the installed ones and passes questions on to it. @see Ollama, cloud models */
export const isRunElsewhere = (provider: string, model: string): boolean =>
  provider === 'ollama' && /[:-]cloud$/.test(model);

export function isCloudHost(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return CLOUD_HOSTS.some((host) => hostname === host || hostname.endsWith(`.${host}`));
}
