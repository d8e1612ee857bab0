// An id in the path or body of a request.
import { z } from 'zod';

/** Any, as the original's clients may have them: of another version it names nothing here, which is no wrong form. */
export const Uuid = z.guid().toLowerCase();
