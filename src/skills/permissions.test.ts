import { describe, expect, it } from 'vitest';
import { decidePermission, type PermissionOverride } from './permissions.js';

const said = (permission: PermissionOverride['permission'], given: Partial<PermissionOverride> = {}) => ({
  tool: 'files__write',
  sessionId: null,
  hash: null,
  permission,
  ...given,
});
const here = (permission: PermissionOverride['permission'], given: Partial<PermissionOverride> = {}) =>
  said(permission, { sessionId: 's', ...given });

describe('decidePermission', () => {
  it.each<[string, PermissionOverride[], string]>([
    ['nothing was said', [], 'ask: default'],
    ['of another tool something was said', [said('always', { tool: 'files__read' })], 'ask: default'],
    ['of another session something was said', [here('always', { sessionId: 'other' })], 'ask: default'],
    ['yes was said here', [here('always')], 'always: session'],
    ['yes was said everywhere', [said('always')], 'always: global'],
    ['what was said here goes before what was said everywhere', [said('always'), here('ask')], 'ask: session'],
    ['a no everywhere outweighs a yes here', [here('always'), said('never')], 'never: global'],
    ['a no here outweighs a yes everywhere', [said('always'), here('never')], 'never: session'],
    ['yes was said to this definition', [said('always', { hash: 'now' })], 'always: global'],
    ['yes was said to another definition', [said('always', { hash: 'then' })], 'ask: definition_changed'],
    ['yes was said here to another definition', [here('always', { hash: 'then' })], 'ask: definition_changed'],
    ['a no to another definition stays one', [said('never', { hash: 'then' })], 'never: global'],
  ])('%s', (_, overrides, expected) => {
    const tool = { name: 'files__write', permission: 'ask', hash: 'now', egress: false } as const;
    const { permission, reason } = decidePermission(tool, overrides, { sessionId: 's', labels: [] });
    expect(`${permission}: ${reason}`).toBe(expected);
  });

  it.each<[string, PermissionOverride[], { egress?: boolean; labels?: string[] }, string]>([
    ['asks before it leaves the house', [], {}, 'ask: sensitive'],
    ['asks although yes was said everywhere', [said('always')], {}, 'ask: sensitive'],
    ['asks no more where yes was said in this very session', [here('always')], {}, 'always: session'],
    ['stays refused where it was', [said('never')], {}, 'never: global'],
    ['is given to a tool that stays in the house', [], { egress: false }, 'always: default'],
    ['is no matter where nothing is labelled', [], { labels: [] }, 'always: default'],
  ])('what is sensitive %s', (_, overrides, { egress = true, labels = ['iban'] }, expected) => {
    const tool = { name: 'files__write', permission: 'always', hash: 'now', egress } as const;
    const { permission, reason } = decidePermission(tool, overrides, { sessionId: 's', labels });
    expect(`${permission}: ${reason}`).toBe(expected);
  });

  it.each(['ask', 'never'] as const)(
    'leaves a tool at %s that is so by itself, whatever is sensitive',
    (permission) => {
      const tool = { name: 'files__write', permission, hash: 'now', egress: true };
      const decided = decidePermission(tool, [], { sessionId: 's', labels: ['iban'] });
      expect(decided).toEqual({ permission, reason: 'default' });
    },
  );

  it('takes what was said in no session for no session', () => {
    const tool = { name: 'files__write', permission: 'ask', hash: 'now', egress: false } as const;
    const decided = decidePermission(tool, [here('always')], { sessionId: null, labels: [] });
    expect(decided).toEqual({ permission: 'ask', reason: 'default' });
  });
});
