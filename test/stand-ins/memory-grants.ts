// Logins that end with the process.
import type { GrantStore, RemoteGrant } from '../../src/skills/mcp/remote-grant.js';

export class MemoryGrants implements GrantStore {
  grants: RemoteGrant[] = [];

  get(server: string, url: string): RemoteGrant | undefined {
    return this.grants.find((grant) => grant.server === server && grant.url === url);
  }

  of(server: string): RemoteGrant[] {
    return this.grants.filter((grant) => grant.server === server);
  }

  put(grant: RemoteGrant): void {
    this.grants = [...this.grants.filter(({ server, url }) => server !== grant.server || url !== grant.url), grant];
  }

  delete(server: string): void {
    this.grants = this.grants.filter((grant) => grant.server !== server);
  }
}
