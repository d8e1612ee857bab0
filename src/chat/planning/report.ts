// What a plan brought, as one text a person reads: each step with its result, and by name what failed.
import type { Language } from '../intent.js';
import type { PlanSource } from './make-plan.js';
import type { StepOutcome } from './run-plan.js';

const STEP_CHARS = 8_000;

const WORDS = {
  en: { done: 'steps done', of: 'of', step: 'Step', failed: 'Failed', skipped: 'Left out' },
  pl: { done: 'kroków wykonano', of: 'z', step: 'Krok', failed: 'Nie powiodło się', skipped: 'Pominięto' },
  de: { done: 'Schritten erledigt', of: 'von', step: 'Schritt', failed: 'Fehlgeschlagen', skipped: 'Ausgelassen' },
} as const;

export function stepSection({ step, status, text }: StepOutcome, language: Language | null): string {
  const words = WORDS[language ?? 'en'];
  const shown = text.length > STEP_CHARS ? `${text.slice(0, STEP_CHARS)}…` : text;
  const body = status === 'done' ? shown : `**${status === 'failed' ? words.failed : words.skipped}:** ${shown}`;
  return `### ${words.step} ${step.number}: ${firstLine(step.instruction)}\n\n${body}\n\n`;
}

const NOTES = {
  en: {
    words: 'The model made no usable plan, so the goal was divided by its own words.',
    whole: 'The model made no usable plan, so the goal was done in one step.',
  },
  pl: {
    words: 'Model nie ułożył użytecznego planu, więc cel podzielono według jego własnych słów.',
    whole: 'Model nie ułożył użytecznego planu, więc cel wykonano w jednym kroku.',
  },
  de: {
    words: 'Das Modell hat keinen brauchbaren Plan gemacht; das Ziel wurde nach seinen eigenen Worten geteilt.',
    whole: 'Das Modell hat keinen brauchbaren Plan gemacht; das Ziel wurde in einem Schritt erledigt.',
  },
} as const;

/** Why a plan looks as it does, where no model made it. */
export const planNote = (source: Exclude<PlanSource, 'model'>, language: Language): string => NOTES[language][source];

export function planReport(
  outcomes: readonly StepOutcome[],
  language: Language | null,
  source: PlanSource = 'model',
): string {
  const words = WORDS[language ?? 'en'];
  const done = outcomes.filter(({ status }) => status === 'done').length;
  const head = `**${done} ${words.of} ${outcomes.length} ${words.done}**\n\n${source === 'model' ? '' : `_${planNote(source, language ?? 'en')}_\n\n`}`;
  return (head + outcomes.map((outcome) => stepSection(outcome, language)).join('')).trimEnd();
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
