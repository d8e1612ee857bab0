import { describe, expect, it } from 'vitest';
import { Affinity, affinityKeys } from './affinity.js';

const system = { role: 'system', text: 'Be helpful.' };
const user = (text: string) => ({ role: 'user', text });

describe('Affinity', () => {
  it('recognises a conversation that goes on, by session and by how it began', () => {
    const affinity = new Affinity();
    affinity.remember(affinityKeys('m', 's', [system, user('A')]), 'first');
    const next = [system, user('A'), { role: 'assistant', text: 'B' }, user('C')];
    expect(affinity.recall(affinityKeys('m', 's', [user('other')]))).toMatchObject({ sessionMember: 'first' });
    expect(affinity.recall(affinityKeys('m', undefined, next))).toEqual({
      sessionMember: undefined,
      prefixMember: 'first',
    });
    expect(affinity.recall(affinityKeys('other', 's', next))).toEqual({
      sessionMember: undefined,
      prefixMember: undefined,
    });
  });

  it('prefers the longest beginning', () => {
    const affinity = new Affinity();
    affinity.remember(affinityKeys('m', undefined, [user('A')]), 'short');
    affinity.remember(affinityKeys('m', undefined, [user('A'), user('B')]), 'long');
    affinity.remember(affinityKeys('m', undefined, [user('A')]), 'short');
    expect(affinity.recall(affinityKeys('m', undefined, [user('A'), user('B'), user('C')])).prefixMember).toBe('long');
  });

  it('does not tie everybody to one member by a short system message, but by a long one', () => {
    const affinity = new Affinity();
    const long = { role: 'system', text: 'x'.repeat(600) };
    affinity.remember(affinityKeys('m', undefined, [system, user('A')]), 'one');
    affinity.remember(affinityKeys('m', undefined, [long, user('A')]), 'two');
    expect(affinity.recall(affinityKeys('m', undefined, [system, user('B')])).prefixMember).toBeUndefined();
    expect(affinity.recall(affinityKeys('m', undefined, [long, user('B')])).prefixMember).toBe('two');
  });

  it('tells messages apart that only look alike when joined', () => {
    const affinity = new Affinity();
    affinity.remember(affinityKeys('m', undefined, [user('ab'), user('c')]), 'one');
    expect(affinity.recall(affinityKeys('m', undefined, [user('a'), user('bc')])).prefixMember).toBeUndefined();
  });

  it('is bounded: the longest unused session is forgotten', () => {
    const affinity = new Affinity();
    for (let count = 0; count <= 10_000; count += 1) affinity.remember(affinityKeys('m', `s${count}`, []), 'one');
    expect(affinity.recall(affinityKeys('m', 's0', [])).sessionMember).toBeUndefined();
    expect(affinity.recall(affinityKeys('m', 's1', [])).sessionMember).toBe('one');
  });
});
