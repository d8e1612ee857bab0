// Failures that end a whole turn, however many parts it has: a second try or the next part would fail in the same way.
import { AppError } from '../../shared/errors.js';
import { TaskError } from './task-failure.js';

const FINAL: ReadonlySet<string> = new Set([
  'no_model',
  'model_not_found',
  'no_endpoint',
  'sensitive_blocked',
  'budget_exceeded',
]);

export const endsTheTurn = (error: unknown): boolean =>
  error instanceof TaskError || (error instanceof AppError && FINAL.has(error.code));
