// What a campaign works on: the goals that were not reached yet where it is to go on; else what the request lists; else what
// a model makes of it; else its own words. Each says which way it came.
import type { Language } from '../intent.js';
import { splitGoal } from '../planning/split-goal.js';

export const MAX_GOALS = 8;
const MAX_GOAL_CHARS = 500;
const SHORTEST_GOAL_CHARS = 8;
const LIST_LINE = /^\s*(?:[-*•]|\d{1,2}[.)])\s+(?<goal>\S.*)$/;

export const GOALS_SCHEMA = {
  type: 'object',
  properties: {
    goals: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_GOALS,
      items: { type: 'string', minLength: SHORTEST_GOAL_CHARS, maxLength: 240 },
    },
  },
  required: ['goals'],
  additionalProperties: false,
} as const;

/** `open`: what earlier campaigns left; `listed`: the request says them; `model`; `words`; `whole`: the request as it is. */
export type GoalSource = 'open' | 'listed' | 'model' | 'words' | 'whole';

const GO_ON =
  /(?<!\p{L})(?:continue|resume|go on|carry on|remaining|open goals|kontynuuj\p{L}*|wznów|wznow\p{L}*|dokończ\p{L}*|pozostał\p{L}*|fortsetz\p{L}*|setze?\s.{0,40}fort|weiter(?:machen|führen)?|restliche\p{L}*|offene\p{L}*)(?!\p{L})/iu;
const STARTS =
  /^\W*(?:please\s+|proszę\s+|bitte\s+)?(?:start|begin|launch|run|rozpocznij|zacznij|uruchom|starte?|beginne?)\s+(?:(?:a|an|the|my|new|eine?|die|das|den|neue?|nową|tę|moją)\s+)*(?:campaign|kampani[aęą]|kampagne|autonomous mode|tryb autonomiczny)\W*/iu;

/** Whether the request means the goals there are rather than new ones. */
export const meansOpenGoals = (request: string): boolean => GO_ON.test(request) || subjectOf(request) === '';

const ABOUT_GOALS =
  /(?<!\p{L})(?:please|the|my|our|all|with|campaigns?|goals?|proszę|moj\p{L}*|wszystki\p{L}*|kampani\p{L}*|cel(?:e|ów|ami)?|bitte|die|den|das|meine?|alle|mit|kampagnen?|zielen?|ziele|an|do|of)(?!\p{L})/giu;

/** Whether a request that means open goals says nothing that a new goal could be made of. */
export const saysNoGoal = (request: string): boolean =>
  !/\p{L}{2}/u.test(
    request.replace(STARTS, '').replace(new RegExp(GO_ON.source, 'giu'), ' ').replace(ABOUT_GOALS, ' '),
  );

/** What a request is about once "start a campaign" is taken out of it. */
export const subjectOf = (request: string): string =>
  request
    .replace(STARTS, '')
    .replace(/^(?:to|for|about|on|by|aby|żeby|dla|o|zu|um|für|über|:|-)\s+/iu, '')
    .trim();

/** Lines of a list, as a person writes goals. */
export function listedGoals(request: string): string[] {
  const lines = request.split('\n').flatMap((line) => LIST_LINE.exec(line)?.groups?.['goal']?.trim() ?? []);
  return lines.length >= 2 ? cleaned(lines) : [];
}

/** @returns what a model's answer names, or none where it is unusable */
export function readGoals(text: string, request: string): string[] {
  const from = text.indexOf('{');
  let given: unknown;
  try {
    given = JSON.parse(text.slice(from, text.lastIndexOf('}') + 1)).goals;
  } catch {
    return [];
  }
  if (!Array.isArray(given) || !given.every((goal) => typeof goal === 'string')) return [];
  const goals = cleaned(given);
  // The request once more is no goal made of it.
  return goals.length === 1 && plain(goals[0] ?? '') === plain(request) ? [] : goals;
}

export function goalsOfWords(request: string, language: Language): { goals: string[]; source: GoalSource } {
  const subject = subjectOf(request);
  const parts = splitGoal(subject, language);
  return parts.length > 0 ? { goals: cleaned(parts), source: 'words' } : { goals: cleaned([subject]), source: 'whole' };
}

function cleaned(goals: readonly string[]): string[] {
  const seen = new Set<string>();
  return goals
    .map((goal) => goal.replace(/\s+/g, ' ').trim().slice(0, MAX_GOAL_CHARS))
    .filter((goal) => {
      const said = plain(goal);
      if (!/\p{L}{2}/u.test(goal) || seen.has(said)) return false;
      seen.add(said);
      return true;
    })
    .slice(0, MAX_GOALS);
}

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
