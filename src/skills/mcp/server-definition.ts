// An imported server as it is kept: where it came from, how it is started, what is known of its tools. Data only.
import { createHash } from 'node:crypto';
import type { DiscoverResult, Implementation, ServerCapabilities } from '@modelcontextprotocol/client';
import type { Permission } from '../ports.js';
import type { ImportRequest } from './import-request.js';
import type { StoredOffer } from './offers.js';

export const SERVER_NAME = /^[a-z](?:[a-z0-9]|-(?!-)){0,39}$/;

export const SOURCE_KINDS = ['git', 'npm', 'pypi', 'config', 'bundle', 'remote'] as const;

export interface ServerSource {
  kind: (typeof SOURCE_KINDS)[number];
  location: string;
  /** A commit, a version or a digest; null where nothing pins it. */
  version: string | null;
}

export interface StdioLaunch {
  kind: 'stdio';
  command: string;
  args: readonly string[];
  cwd: string;
  /** Values that are no secrets. */
  environment: Readonly<Record<string, string>>;
  /** Variable to the name of a stored secret. */
  secrets: Readonly<Record<string, string>>;
  network: boolean;
  readable: readonly string[];
  writable: readonly string[];
}

export interface RemoteLaunch {
  kind: 'http';
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Header to the name of a stored secret; `Authorization` is sent as a bearer token. */
  secrets: Readonly<Record<string, string>>;
  /** An administrator said that it may lie in a private network. */
  allowPrivate: boolean;
}

export type Launch = StdioLaunch | RemoteLaunch;

/** A tool as its server defines it; only the fields that are read or passed on. */
export interface ToolDefinition {
  name: string;
  title?: string | undefined;
  description?: string | undefined;
  inputSchema: Record<string, unknown>;
  outputSchema?: Record<string, unknown> | undefined;
  annotations?: Record<string, unknown> | undefined;
}

export interface StoredTool {
  /** What the server says now. */
  definition: ToolDefinition;
  hash: string;
  /** What a person agreed to; null for a tool that came later. */
  approved: { hash: string; definition: ToolDefinition } | null;
  permission: Permission;
  /** Why it cannot be used at all, such as a schema that is too deep; null where it can. */
  refused: string | null;
  /** The server no longer lists it. */
  gone: boolean;
}

export interface ServerManifest {
  era: 'modern' | 'legacy';
  /** A remote server that knows only the transport of 2024. */
  wire?: 'sse' | undefined;
  protocolVersion: string;
  /** Of a modern server: lets the next start do without asking. */
  discover: DiscoverResult | null;
  /** When the era was found out: an old verdict is asked again. */
  eraAt: number;
  serverInfo: Implementation | null;
  capabilities: ServerCapabilities;
  tools: readonly StoredTool[];
  /** What it offers beside tools; missing in a record of an earlier version. */
  offers?: readonly StoredOffer[];
  listedAt: number;
}

export interface ServerVersion {
  versionId: string;
  createdAt: number;
  source: ServerSource;
  launch: Launch;
  /** Its own folder, removed with it; null where it has none. */
  directory: string | null;
  /** Of the plan an administrator approved. */
  planHash: string;
  manifest: ServerManifest | null;
}

export interface ServerRecord {
  name: string;
  title: string;
  enabled: boolean;
  /** An administrator vouches for it: its hints are believed, and it may run where nothing isolates it. */
  trusted: boolean;
  allowPlain: boolean;
  protocol: 'auto' | 'legacy' | 'modern';
  active: ServerVersion;
  /** Newest first; what a roll back goes to. */
  former: readonly ServerVersion[];
  /** What an update asks for again. */
  origin?: ImportRequest;
}

/** The same for the same content, whatever the order of its fields. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([name, own]) => [name, sorted(own)]));
}

export const definitionHash = (definition: ToolDefinition): string => hashOf({ ...definition });
