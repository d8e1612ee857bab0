// Whether a server stands on this machine or in a network of its own, by the addresses its name leads to.
import { lookup } from 'node:dns/promises';
import { isPublicAddress } from '../shared/public-address.js';
import { waitAtMost } from '../shared/wait-at-most.js';

const NAME_WITHIN_MS = 2_000;

export type Resolve = (host: string) => Promise<readonly { address: string }[]>;

const byName: Resolve = (host) => lookup(host, { all: true });

/** False also where nobody can say: a name that is not found, or not in time. */
export async function isInOwnNetwork(endpoint: string, resolve: Resolve = byName): Promise<boolean> {
  if (!URL.canParse(endpoint)) return false;
  const host = new URL(endpoint).hostname.replace(/^\[|\]$/g, '');
  if (host === '') return false;
  let found: readonly { address: string }[] = [];
  const asked = resolve(host).then(
    (addresses) => {
      found = addresses;
    },
    () => {},
  );
  await waitAtMost(asked, NAME_WITHIN_MS);
  return found.length > 0 && found.every(({ address }) => !isPublicAddress(address));
}
