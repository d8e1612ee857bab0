// Runs a plan: steps that need nothing from each other side by side, each repaired once, failures named and not hidden.
import type { PlanStep } from './plan.js';

const MAX_PARALLEL = 3;

export interface StepOutcome {
  step: PlanStep;
  status: 'done' | 'failed' | 'skipped';
  /** The step's text, or why there is none. */
  text: string;
  attempts: number;
}

export interface RunPlanOptions {
  /** `earlier` is what the steps it depends on brought. @throws when it fails */
  run: (step: PlanStep, earlier: readonly StepOutcome[], lastProblem: string | null) => Promise<string>;
  /** A failure that ends the whole plan, such as a stop. */
  isFinal: (error: unknown) => boolean;
  describe: (error: unknown) => string;
  onStart: (step: PlanStep, attempt: number) => void;
  onEnd: (outcome: StepOutcome) => void;
}

/** @returns outcomes in the order of the steps */
export async function runPlan(plan: readonly PlanStep[], options: RunPlanOptions): Promise<StepOutcome[]> {
  const outcomes = new Map<number, StepOutcome>();
  const running = new Set<Promise<void>>();
  const open = new Set(plan);
  let fatal: { error: unknown } | undefined;

  const finish = (outcome: StepOutcome) => {
    outcomes.set(outcome.step.number, outcome);
    options.onEnd(outcome);
  };
  const attempt = async (step: PlanStep): Promise<void> => {
    const earlier = step.dependsOn.map((number) => outcomes.get(number) as StepOutcome);
    let problem: string | null = null;
    for (let attempts = 1; attempts <= 2; attempts += 1) {
      options.onStart(step, attempts);
      try {
        const text = await options.run(step, earlier, problem);
        finish({ step, status: 'done', text, attempts });
        return;
      } catch (error) {
        if (options.isFinal(error)) throw error;
        problem = options.describe(error);
      }
    }
    finish({ step, status: 'failed', text: problem ?? '', attempts: 2 });
  };

  for (;;) {
    for (const step of open) {
      if (running.size >= MAX_PARALLEL || fatal) break;
      const needed = step.dependsOn.map((number) => outcomes.get(number));
      const broken = needed.find((outcome) => outcome && outcome.status !== 'done');
      if (broken) {
        open.delete(step);
        finish({ step, status: 'skipped', text: `it needs step ${broken.step.number}`, attempts: 0 });
        continue;
      }
      if (needed.some((outcome) => outcome === undefined)) continue;
      open.delete(step);
      const work: Promise<void> = attempt(step)
        .catch((error: unknown) => {
          fatal ??= { error };
        })
        .finally(() => running.delete(work));
      running.add(work);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (fatal) throw fatal.error;
  return plan.map(({ number }) => outcomes.get(number)).filter((outcome) => outcome !== undefined);
}
