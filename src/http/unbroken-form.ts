// A form that breaks off or has no boundary is the client's fault; the form's reader tells of it in a plain error.
import { AppError } from '../shared/errors.js';

/** Limits, a full disk and a client that went away name themselves by a code, and stay what they are. @throws AppError `invalid_input` */
export async function unbrokenForm<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw error;
    throw new AppError('invalid_input', 'The form is broken, or breaks off.', { cause: error });
  }
}
