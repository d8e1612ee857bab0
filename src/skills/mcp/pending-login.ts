// A login that somebody has begun and a browser has not come back from. It outlives a restart, since a person may take
// minutes; with it alone nobody can finish the login, because its state is kept as a hash.
import { createHash } from 'node:crypto';
import type { OAuthDiscoveryState } from '@modelcontextprotocol/client';

export interface PendingLogin {
  /** SHA-256 of the state, which only the browser of who began it knows. */
  stateHash: string;
  server: string;
  /** Of the MCP server. */
  url: string;
  allowPrivate: boolean;
  /** Where the browser was told to come back to. */
  redirectUrl: string;
  discovery: OAuthDiscoveryState;
  /** PKCE: what proves that we are who began. */
  verifier: string;
  expiresAt: number;
}

/** Logins on disk, as a whole. */
export interface PendingLoginStore {
  load(): readonly PendingLogin[];
  /** On disk when it returns. @throws AppError `store_unavailable` */
  save(logins: readonly PendingLogin[]): void;
}

export const stateHashOf = (state: string): string => createHash('sha256').update(state).digest('base64url');
