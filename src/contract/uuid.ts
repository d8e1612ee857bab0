// An id in the path or body of a request.
import { z } from 'zod';

const DIGITS = /^(?:urn:uuid:|\{)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;

/**
 * Any, as the original's clients may have them: of another version it names nothing here, which is no wrong form. Its
 * validator knew them without dashes, in braces and as a URN as well.
 */
export const Uuid = z.preprocess(
  (value) => (typeof value === 'string' ? value.replace(DIGITS, '$1-$2-$3-$4-$5') : value),
  z.guid().toLowerCase(),
);
