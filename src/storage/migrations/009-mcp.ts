// Imported MCP servers and the plans of imports that wait for approval.
export const mcp = `
CREATE TABLE mcp_servers (name TEXT PRIMARY KEY, server TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mcp_plans (
  pk INTEGER PRIMARY KEY,
  plan_id TEXT NOT NULL UNIQUE,
  plan TEXT NOT NULL,
  request TEXT NOT NULL
);
`;
