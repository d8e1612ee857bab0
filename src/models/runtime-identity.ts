// Who answers, as it is told to clients: engine, model, address, and a hash that changes with any of them.
import { createHash } from 'node:crypto';

export interface RuntimeIdentity {
  provider: string;
  model: string;
  endpoint: string | null;
  configHash: string;
  runtimeId: string;
}

const MAX_KEPT = 1_000;
const identities = new Map<string, RuntimeIdentity>();

/** Kept, because a hash per turn is a hash too many. */
export function runtimeIdentity(provider: string, model: string, endpoint: string | null): RuntimeIdentity {
  const key = `${provider}|${endpoint ?? ''}|${model}`;
  let identity = identities.get(key);
  if (!identity) {
    if (identities.size >= MAX_KEPT) identities.clear();
    const configHash = createHash('sha256').update(key).digest('hex').slice(0, 12);
    identity = { provider, model, endpoint, configHash, runtimeId: `${provider}@${endpoint ?? 'local'}` };
    identities.set(key, identity);
  }
  return identity;
}
