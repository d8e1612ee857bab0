import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallOutcome, Circuit } from './circuit.js';

function create(failuresToOpen = 3) {
  const time = { now: 0 };
  const circuit = new Circuit({ failuresToOpen, openMs: 1_000, now: () => time.now });
  const call = (outcome: CallOutcome) => {
    const settle = circuit.enter();
    settle?.(outcome);
    return settle !== null;
  };
  return { time, circuit, call };
}

describe('Circuit', () => {
  it('opens after failures in a row, and a success between them begins the count again', () => {
    const { circuit, call } = create();
    call('failure');
    call('failure');
    call('success');
    call('failure');
    call('failure');
    expect(circuit.state).toBe('closed');
    call('failure');
    expect(circuit).toMatchObject({ state: 'open', openUntil: 1_000 });
    expect(call('success')).toBe(false);
  });

  it('lets one trial through after its time, and closes when that is well', () => {
    const { circuit, call, time } = create(1);
    call('failure');
    time.now = 1_000;
    expect(circuit.state).toBe('half-open');
    const trial = circuit.enter();
    expect(circuit.enter()).toBeNull();
    trial?.('success');
    expect(circuit.state).toBe('closed');
    expect(call('success')).toBe(true);
  });

  it('stays open when the trial fails, and gives the next one a chance when it was only stopped', () => {
    const { circuit, call, time } = create(1);
    call('failure');
    time.now = 1_000;
    call('neither');
    expect(circuit.state).toBe('half-open');
    call('failure');
    expect(circuit).toMatchObject({ state: 'open', openUntil: 2_000 });
  });

  it('is ready for a trial as soon as a probe was answered', () => {
    const { circuit, call } = create(1);
    call('failure');
    circuit.probe()('success');
    expect(circuit.state).toBe('half-open');
    expect(call('success')).toBe(true);
    expect(circuit.state).toBe('closed');
  });

  it('never opens where it was told so, and hears only the first word of a call', () => {
    const { circuit, call } = create(0);
    for (let count = 0; count < 50; count += 1) call('failure');
    expect(circuit.state).toBe('closed');
    const other = create(2).circuit;
    const settle = other.enter();
    settle?.('failure');
    settle?.('failure');
    expect(other.failures).toBe(1);
  });

  it('whatever happens: open turns away, closed lets through, and success alone always closes it in the end', () => {
    const step = fc.record({
      outcome: fc.constantFrom<CallOutcome>('success', 'failure', 'neither'),
      passMs: fc.nat(700),
      probe: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, failuresToOpen) => {
        const { circuit, time, call } = create(failuresToOpen);
        for (const { outcome, passMs, probe } of steps) {
          time.now += passMs;
          const before = circuit.state;
          if (probe) circuit.probe()(outcome);
          else expect(call(outcome)).toBe(before !== 'open');
          if (before === 'closed') expect(circuit.state === 'open').toBe(circuit.failures >= failuresToOpen);
        }
        time.now += 1_000;
        expect(call('success')).toBe(true);
        expect(circuit).toMatchObject({ state: 'closed', failures: 0, openUntil: null });
      }),
    );
  });
});
