// Names of requests: UUIDs that sort by the time they were given.
import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const RANDOM_BYTES = 16;
/** Drawn for many ids at once: asking the machine for each costs more than all the rest of an id. */
const pool = Buffer.alloc(RANDOM_BYTES * 128);
let used = pool.length;

export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return uuidv7({ random: pool.subarray(used - RANDOM_BYTES, used) });
}
