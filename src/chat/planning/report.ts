// What a plan brought, as one text a person reads: each step with its result, and by name what failed.
import type { Language } from '../intent.js';
import type { PlanSource } from './make-plan.js';
import type { PlanStep } from './plan.js';
import type { StepOutcome } from './run-plan.js';

const STEP_CHARS = 8_000;

const WORDS = {
  en: {
    done: 'steps done',
    of: 'of',
    step: 'Step',
    failed: 'Failed',
    skipped: 'Left out',
    again: 'That failed; once more.',
  },
  pl: {
    done: 'kroków wykonano',
    of: 'z',
    step: 'Krok',
    failed: 'Nie powiodło się',
    skipped: 'Pominięto',
    again: 'Nie powiodło się; jeszcze raz.',
  },
  de: {
    done: 'Schritten erledigt',
    of: 'von',
    step: 'Schritt',
    failed: 'Fehlgeschlagen',
    skipped: 'Ausgelassen',
    again: 'Das misslang; noch einmal.',
  },
} as const;

export const stepHeading = ({ number, instruction }: PlanStep, language: Language | null): string =>
  `### ${WORDS[language ?? 'en'].step} ${number}: ${firstLine(instruction)}\n\n`;

/** Where a step's text breaks off and is written anew. */
export const stepAgain = (language: Language | null): string => `\n\n_${WORDS[language ?? 'en'].again}_\n\n`;

/** What a step that brought nothing leaves in its place. */
export function stepFailure({ status, text }: StepOutcome, language: Language | null): string {
  const words = WORDS[language ?? 'en'];
  return `**${status === 'failed' ? words.failed : words.skipped}:** ${cut(text)}`;
}

export function stepSection(outcome: StepOutcome, language: Language | null): string {
  const body = outcome.status === 'done' ? cut(outcome.text) : stepFailure(outcome, language);
  return `${stepHeading(outcome.step, language)}${body}\n\n`;
}

const cut = (text: string): string => (text.length > STEP_CHARS ? `${text.slice(0, STEP_CHARS)}…` : text);

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
