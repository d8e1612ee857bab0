// A goal divided by its own words, where no model made a usable plan of it: at its sentences, lines and "and then", and a
// long one that is all of one piece into looking, doing and checking. Pure.
import type { Language } from '../intent.js';

export const MOST_PARTS = 4;
const SHORTEST_PART = 8;
/** A goal of fewer words is done at once. */
const WORDS_WORTH_PHASES = 8;

/** "Then", however it is said: what follows is always a step of its own. */
const THEN =
  /[\s,;]+(?:and then|then|after that|afterwards|a potem|potem|a następnie|następnie|und dann|dann|danach|anschließend)(?![\p{L}\p{N}])[\s,]*/giu;
/** "And" in front of a word that tells somebody to do something. */
const AND_DO = new RegExp(
  `,?\\s+(?:and|i|oraz|und|sowie)\\s+(?=(?:also\\s+|też\\s+|także\\s+|auch\\s+)?(?:${[
    'write make create list explain describe compare find test add prepare draw give suggest summari[sz]e check translate build',
    'implement design document plan show tell calculate choose name propose review fix put say',
    'napisz przygotuj stwórz utwórz opisz wyjaśnij porównaj znajdź dodaj zaproponuj sprawdź przetłumacz zbuduj zaprojektuj zaplanuj',
    'pokaż policz wybierz podaj wypisz wymień streść przetestuj zrób ułóż',
    'schreibe? erstelle? mache? beschreibe? erkläre? vergleiche? finde? teste? ergänze? prüfe? übersetze? baue? plane? zeige?',
    'berechne wähle? nenne? liste fasse schlage? entwirf gib sage? bereite',
  ]
    .join(' ')
    .split(' ')
    .join('|')})(?![\\p{L}\\p{N}]))`,
  'giu',
);
const LIST_MARK = /^\s*(?:[-*•]|\d{1,2}[.)])\s+/;

const PHASES: Readonly<Record<Language, readonly [string, string, string]>> = {
  en: [
    'List what has to be thought of:',
    'Work this out point by point:',
    'Name what could still be missing, and sum up:',
  ],
  pl: ['Wypisz, o czym trzeba pamiętać:', 'Opracuj to punkt po punkcie:', 'Wskaż, czego może brakować, i podsumuj:'],
  de: [
    'Liste auf, woran zu denken ist:',
    'Arbeite das Punkt für Punkt aus:',
    'Nenne, was noch fehlen könnte, und fasse zusammen:',
  ],
};

/** @returns two to four parts in their order, or none where the goal is small and of one piece */
export function splitGoal(goal: string, language: Language | null): string[] {
  const parts = merged(
    goal
      .split('\n')
      .map((line) => line.replace(LIST_MARK, ''))
      .flatMap((line) => line.split(/(?<=[.!?;])\s+/u))
      .flatMap((sentence) => sentence.split(THEN))
      .flatMap((sentence) => sentence.split(AND_DO))
      .flatMap(lastAddition)
      .map((part) => part.replace(/^[\s,;]+|[\s,;]+$/g, '').replace(/\s+/g, ' '))
      .filter((part) => /[\p{L}\p{N}]/u.test(part)),
  );
  if (parts.length >= 2) return parts;
  const plain = goal.replace(/\s+/g, ' ').trim();
  if (plain.split(' ').length < WORDS_WORTH_PHASES) return [];
  return PHASES[language ?? 'en'].map((phase) => `${phase} ${plain}`);
}

/** "…, and a title for it": the one comma of a sentence says that something is added. */
function lastAddition(sentence: string): string[] {
  if (sentence.split(',').length !== 2) return [sentence];
  const match = /^(?<first>[^,]{12,}),\s+(?:and|i|oraz|und)\s+(?<second>[^,]{6,})$/iu.exec(sentence);
  const { first, second } = match?.groups ?? {};
  return first && second ? [first, second] : [sentence];
}

/** What is too short for a step stays with the part before it; what is too many goes together at the end. */
function merged(pieces: readonly string[]): string[] {
  const parts: string[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (
      last !== undefined &&
      (piece.length < SHORTEST_PART || last.length < SHORTEST_PART || parts.length === MOST_PARTS)
    )
      parts[parts.length - 1] = `${last} ${piece}`;
    else parts.push(piece);
  }
  return parts;
}
