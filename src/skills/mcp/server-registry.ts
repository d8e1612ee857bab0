// A public list of MCP servers, as it is looked through before one is imported. Nothing is imported from here: what is
// found becomes a request like any other. No I/O and no vendor's words in this file.

/** A variable or a header a server wants. */
export interface RegistryValue {
  name: string;
  description: string | null;
  required: boolean;
  secret: boolean;
  /** What it is where nobody says otherwise. */
  value: string | null;
}

export interface RegistryEntry {
  name: string;
  title: string;
  description: string;
  version: string;
  state: string;
  repository: string | null;
  updatedAt: string | null;
  packages: readonly {
    kind: string;
    identifier: string;
    version: string | null;
    args: readonly string[];
    environment: readonly RegistryValue[];
  }[];
  remotes: readonly { url: string; headers: readonly RegistryValue[] }[];
}

export interface RegistrySearch {
  search: string;
  cursor: string | undefined;
  limit: number;
  signal: AbortSignal;
}

export interface ServerRegistry {
  /** Newest versions only. @throws AppError `unsupported` where none is set, `upstream_*` where it does not answer */
  list(search: RegistrySearch): Promise<{ entries: RegistryEntry[]; nextCursor: string | null }>;
  /** @throws AppError `not_found`, and as `list` */
  get(name: string, signal: AbortSignal): Promise<RegistryEntry>;
}
