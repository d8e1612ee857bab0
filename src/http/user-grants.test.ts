import { describe, expect, it } from 'vitest';
import type { Permission, ToolSource } from '../skills/ports.js';
import { ToolGrants } from '../skills/tool-grants.js';
import { UserGrants } from './user-grants.js';

const ANNA = 'user-0123456789abcdef';
const grants = new UserGrants({ approveTools: true, callTools: true }, new ToolGrants(['notes']));
const refused = (owner: string | null, source: ToolSource, permission: Permission) => {
  try {
    grants.requireTool(owner, { name: 'a__tool', source }, permission);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("what a user's key may call by hand and approve", () => {
  it.each<[string, ToolSource, Permission, boolean]>([
    ['a built-in tool', { kind: 'builtin', id: 'time' }, 'ask', true],
    ['a granted server', { kind: 'mcp', id: 'notes' }, 'ask', true],
    ['a server that was not granted', { kind: 'mcp', id: 'secret' }, 'always', false],
    ['the shell', { kind: 'builtin', id: 'shell' }, 'always', false],
    ['git', { kind: 'builtin', id: 'git' }, 'always', false],
    ['a skill somebody wrote', { kind: 'custom', id: 'own' }, 'always', false],
    ['a built-in tool the administrator refused', { kind: 'builtin', id: 'time' }, 'never', false],
    ['a granted server whose tool was refused', { kind: 'mcp', id: 'notes' }, 'never', false],
  ])('%s', (_, source, permission, may) => {
    expect(refused(ANNA, source, permission)).toBe(may ? null : 'forbidden');
    expect(refused(null, source, permission)).toBeNull();
  });
});
