import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AFFINITY_WORTH, busyness, type ChoiceFacts, chooseMember, type MemberFacts } from './choose-member.js';

const member = (id: string, facts: Partial<MemberFacts> = {}): MemberFacts => ({
  id,
  hasModel: true,
  excluded: false,
  inFlight: 0,
  served: 0,
  load: null,
  ...facts,
});
const choose = (members: MemberFacts[], facts: Partial<ChoiceFacts> = {}) =>
  chooseMember({ members, sessionMember: undefined, prefixMember: undefined, tried: new Set(), ...facts });

describe('chooseMember', () => {
  it('takes the idlest, by our count and by what the engine says', () => {
    const load = (running: number) => ({ running, waiting: 0, kvCacheUsage: null });
    expect(choose([member('a', { inFlight: 2 }), member('b', { inFlight: 1 })])).toEqual({
      kind: 'member',
      id: 'b',
      reason: 'least-loaded',
    });
    expect(choose([member('a', { inFlight: 2 }), member('b', { load: load(9) })])).toMatchObject({ id: 'a' });
    expect(choose([member('a', { served: 5 }), member('b', { served: 4 })])).toMatchObject({ id: 'b' });
  });

  it('stays with the session, then with the prompt, until that member has much more to do', () => {
    const members = [member('a'), member('b', { inFlight: AFFINITY_WORTH - 1 }), member('c')];
    expect(choose(members, { sessionMember: 'b', prefixMember: 'c' })).toMatchObject({ id: 'b', reason: 'session' });
    expect(choose(members, { prefixMember: 'c' })).toMatchObject({ id: 'c', reason: 'prefix' });
    members[1] = member('b', { inFlight: AFFINITY_WORTH });
    expect(choose(members, { sessionMember: 'b', prefixMember: 'c' })).toMatchObject({ id: 'c', reason: 'prefix' });
    expect(choose(members, { sessionMember: 'b' })).toMatchObject({ reason: 'least-loaded' });
  });

  it('asks only members that have the model, and any where nobody is known to', () => {
    expect(choose([member('a', { hasModel: false }), member('b', { inFlight: 9 })])).toMatchObject({ id: 'b' });
    expect(choose([member('a', { hasModel: false })])).toMatchObject({ id: 'a' });
  });

  it('goes back to an excluded member only when there is no other', () => {
    const members = [member('a', { excluded: true }), member('b', { inFlight: 100 })];
    expect(choose(members, { sessionMember: 'a' })).toMatchObject({ id: 'b', reason: 'least-loaded' });
    expect(choose(members, { tried: new Set(['b']) })).toMatchObject({ id: 'a', reason: 'last-resort' });
    expect(choose(members, { tried: new Set(['a', 'b']) })).toEqual({ kind: 'none', reason: 'all-tried' });
  });

  const anyMember = fc.record({
    hasModel: fc.constantFrom(true, false, null),
    excluded: fc.boolean(),
    inFlight: fc.nat(20),
    served: fc.nat(50),
    load: fc.option(
      fc.record({
        running: fc.nat(20),
        waiting: fc.nat(20),
        kvCacheUsage: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      }),
    ),
  });
  const anyFacts = fc
    .array(anyMember, { minLength: 1, maxLength: 6 })
    .map((all) => all.map((facts, index) => ({ id: `m${index}`, ...facts })))
    .chain((members) =>
      fc.record({
        members: fc.constant(members),
        sessionMember: fc.option(fc.constantFrom(...members.map(({ id }) => id), 'gone'), { nil: undefined }),
        prefixMember: fc.option(fc.constantFrom(...members.map(({ id }) => id)), { nil: undefined }),
        tried: fc.subarray(members.map(({ id }) => id)).map((ids) => new Set(ids)),
      }),
    );

  it('holds for whatever facts: never one that was tried, never an excluded one or one without the model while another is left', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const choice = chooseMember(facts);
        const listed = facts.members.filter(({ hasModel }) => hasModel === true);
        const able = listed.length > 0 ? listed : facts.members;
        const left = able.filter(({ id }) => !facts.tried.has(id));
        if (choice.kind === 'none') {
          expect(left).toEqual([]);
          return;
        }
        const chosen = left.find(({ id }) => id === choice.id) as MemberFacts;
        expect(chosen).toBeDefined();
        const well = left.filter(({ excluded }) => !excluded);
        if (well.length === 0) {
          expect(choice.reason).toBe('last-resort');
          return;
        }
        expect(chosen.excluded).toBe(false);
        const least = Math.min(...well.map(busyness));
        if (choice.reason === 'least-loaded') expect(busyness(chosen)).toBe(least);
        else expect(busyness(chosen) - least).toBeLessThan(AFFINITY_WORTH);
      }),
    );
  });

  it('is not swayed by the order of equal members more than once: everybody gets a turn', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), (count) => {
        const members = Array.from({ length: count }, (_, index) => member(`m${index}`));
        for (let turn = 0; turn < count * 3; turn += 1) {
          const choice = choose(members);
          const chosen = members.find(({ id }) => choice.kind === 'member' && id === choice.id) as MemberFacts;
          chosen.served += 1;
        }
        expect(members.map(({ served }) => served)).toEqual(members.map(() => 3));
      }),
    );
  });
});
