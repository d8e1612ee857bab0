import { describe, expect, it } from 'vitest';
import { ToolGrants } from './tool-grants.js';

const anna = 'user-0123456789abcdef';
const ben = 'user-fedcba9876543210';

describe('ToolGrants', () => {
  const grants = new ToolGrants(['shared', `${anna}/hers`, `${anna}/shared`]);

  it('names the servers of a key: those of every key and its own, each once', () => {
    expect(grants.serversOf(anna)).toEqual(['hers', 'shared']);
    expect(grants.serversOf(ben)).toEqual(['shared']);
  });

  it.each([
    [null, 'mcp', 'anything', true],
    [anna, 'mcp', 'hers', true],
    [ben, 'mcp', 'hers', false],
    [ben, 'mcp', 'shared', true],
    [ben, 'mcp', 'Shared', false],
    [ben, 'mcp', `${anna}/hers`, false],
    // A built-in skill or one of the house, whatever its name.
    [ben, 'builtin', 'hers', true],
    [ben, 'custom', 'hers', true],
  ] as const)('%s may use tools of the %s %s: %s', (owner, kind, id, may) => {
    expect(grants.mayUse(owner, { source: { kind, id } })).toBe(may);
  });
});
