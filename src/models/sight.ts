// Whether a model takes in pictures, as far as its engine says so.
import { AppError } from '../shared/errors.js';

/** Engines that name everything a model can do; others say nothing, and refuse for themselves what they cannot take. */
const TELLING = new Set(['ollama', 'llama-cpp']);

/**
 * @param capabilities  as the engine names them; null where it does not know the model
 * @throws AppError `unsupported` where the model is known to be blind
 */
export function requireSight(provider: string, model: string, capabilities: readonly string[] | null): void {
  // An Ollama from before it told of capabilities tells of none; every model of a later one has some.
  if (!capabilities?.length || capabilities.includes('vision') || !TELLING.has(provider)) return;
  throw new AppError(
    'unsupported',
    `${model} does not see pictures. Leave them out, or ask a model with vision, such as qwen2.5vl or llava in Ollama.`,
  );
}
