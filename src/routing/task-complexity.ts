// How hard a task looks: a score from its type and length, and a level from its words (the original's `core/model_router`).
// The score routes; the level can be asked for by a policy and is shown by the dry run.
import type { TaskType } from './decision.js';

const BASE: Readonly<Record<TaskType, number>> = {
  STANDARD: 1,
  CHAT: 1,
  CODING_SIMPLE: 2,
  RESEARCH: 4,
  GENERATION: 5,
  ANALYSIS: 6,
  CODING_COMPLEX: 7,
  SENSITIVE: 1,
};
const UNKNOWN_BASE = 3;

/** 0..10 */
export function complexityOf(taskType: string, chars: number): number {
  const base = (BASE as Record<string, number>)[taskType] ?? UNKNOWN_BASE;
  return Math.min(10, base + (chars > 1_000 ? 2 : chars > 500 ? 1 : 0));
}

export type TaskLevel = 'LOW' | 'MEDIUM' | 'HIGH';

/** Longer than any task needs to show what it is; a pasted book must not make routing slow. */
const CHARS_READ = 4_000;
const SIMPLE =
  /\b(?:hello world|simple script|prosty skrypt|add (?:a )?comment|dodaj komentarz|show (?:the )?text|wyświetl tekst|print|console\.log|sum function|funkcj[aęi] sum)/i;
const HIGH =
  'architecture architektura system microservices mikroserwisy design projekt optimise optimize refactor complex enterprise scalable security performance distributed'.split(
    ' ',
  );
const MEDIUM =
  'api database baza service application aplikacja integration integracja endpoint algorithm algorytm tests testy'.split(
    ' ',
  );
const MEDIUM_PHRASES = ['data model', 'business logic', 'logika biznesowa'];

export function taskLevel(text: string): TaskLevel {
  const read = text.slice(0, CHARS_READ).toLowerCase();
  if (SIMPLE.test(read)) return 'LOW';
  const words = new Set(read.match(/[\p{L}\d]+/gu));
  const count = (names: readonly string[]) => names.filter((name) => words.has(name)).length;
  if (count(HIGH) >= 2) return 'HIGH';
  if (count(MEDIUM) + MEDIUM_PHRASES.filter((phrase) => read.includes(phrase)).length >= 2) return 'MEDIUM';
  return text.length > 200 ? 'MEDIUM' : 'LOW';
}
