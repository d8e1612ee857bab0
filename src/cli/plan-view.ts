// A plan while it runs: redrawn in place for a person, one line for each change otherwise.
import type { PlannedStep } from './task-follower.js';
import type { Terminal } from './terminal.js';

const MARKS: Readonly<Record<string, string>> = { waiting: '·', running: '>', done: '+', failed: 'x', skipped: '-' };

const MAX_LINE_CHARS = 120;

export class PlanView {
  readonly #terminal: Terminal;
  readonly #shown = new Map<number, string>();
  #lines = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(plan: readonly PlannedStep[]): void {
    const changed = plan.filter(({ step, status }) => this.#shown.get(step) !== status);
    if (changed.length === 0) return;
    for (const { step, status } of changed) this.#shown.set(step, status);
    if (!this.#terminal.interactive) {
      for (const step of changed) this.#terminal.note(lineOf(step, plan.length).slice(0, MAX_LINE_CHARS));
      return;
    }
    // A line that wraps would be counted as one and drawn as two.
    const width = Math.max(20, this.#terminal.columns - 1);
    this.#terminal.redraw(
      plan.map((step) => lineOf(step, plan.length).slice(0, width)),
      this.#lines,
    );
    this.#lines = plan.length;
  }
}

const lineOf = ({ step, status, agent, instruction }: PlannedStep, steps: number): string =>
  `${MARKS[status] ?? '?'} ${step}/${steps} ${status.padEnd(7)} ${agent}: ${instruction.replace(/\s+/g, ' ')}`;
