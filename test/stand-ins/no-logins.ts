// Logins at remote MCP servers, for tests in which nobody logs in.
import { RemoteAuthorizations } from '../../src/skills/mcp/remote-authorizations.js';
import { MemoryGrants } from './memory-grants.js';

export const noLogins = (): RemoteAuthorizations =>
  new RemoteAuthorizations({
    grants: new MemoryGrants(),
    logins: { load: () => [], save: () => {} },
    secrets: { names: () => [], get: () => undefined, set: () => {}, delete: () => {} },
    redirect: () => ({ url: 'http://127.0.0.1:1/oauth/callback', clientMetadataUrl: undefined }),
    now: Date.now,
  });
