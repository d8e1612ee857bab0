// A name or an id in an address. One that is too long for what it should name names nothing, and that is a 404 as with the
// original, not a wrong form; beyond this the router takes none.
import { z } from 'zod';

export const AddressedName = z.string().min(1).max(2_000);
