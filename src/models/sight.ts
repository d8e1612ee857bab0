// Whether a model takes in pictures, as far as anybody knows.
import { AppError } from '../shared/errors.js';

/**
 * @param sees  null where nobody knows: its engine refuses for itself what it cannot take
 * @throws AppError `unsupported` where the model is known to be blind
 */
export function requireSight(model: string, sees: boolean | null): void {
  if (sees !== false) return;
  throw new AppError(
    'unsupported',
    `${model} does not see pictures. Leave them out, or ask a model with vision, such as qwen2.5vl or llava in Ollama.`,
  );
}
