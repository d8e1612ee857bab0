// What of the server's state is on disk at once, and what in a moment.
import { describe, expect, it } from 'vitest';
import { StateManager } from './state-manager.js';

function storeAndState() {
  const disk = new Map<string, string>();
  const state = new StateManager({
    load: () => new Map(disk),
    save: (entries) => {
      for (const [key, value] of entries) disk.set(key, value);
    },
  });
  return { disk, state };
}

describe('StateManager', () => {
  it('gathers what may be lost, and writes it when it is told to', () => {
    const { disk, state } = storeAndState();
    state.set('measured', '1');
    expect(state.get('measured')).toBe('1');
    expect(disk.size).toBe(0);
    state.flush();
    expect(disk.get('measured')).toBe('1');
  });

  it('has written what is acknowledged before it says so', () => {
    const { disk, state } = storeAndState();
    state.set('measured', '1');
    state.kept.set('active_model', 'a');
    expect(Object.fromEntries(disk)).toEqual({ measured: '1', active_model: 'a' });
    expect(state.kept.get('active_model')).toBe('a');
  });

  it('tells a failure, and keeps the value for the next try', () => {
    let full = true;
    const disk = new Map<string, string>();
    const state = new StateManager({
      load: () => new Map(),
      save: (entries) => {
        if (full) throw new Error('disk full');
        for (const [key, value] of entries) disk.set(key, value);
      },
    });
    expect(() => state.kept.set('active_model', 'a')).toThrow('disk full');
    full = false;
    state.flush();
    expect(disk.get('active_model')).toBe('a');
  });
});
