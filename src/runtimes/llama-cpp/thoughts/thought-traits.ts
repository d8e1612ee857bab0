// How a model thinks, by the text of its chat template alone: the marks around its thoughts, and the words by which the
// template can be told to leave thinking out, or how long to think. Renders nothing, so that the server may ask, too.
import type { ThoughtMarks } from '../../thought-splitter.js';

export type Effort = 'low' | 'medium' | 'high';
/** What a request wishes of a model's thoughts; undefined leaves it to the template. */
export type Think = boolean | Effort | undefined;

export interface ThoughtTraits {
  /** Null for channels, as gpt-oss has them. */
  readonly marks: ThoughtMarks | null;
  /** The variable of the template that switches thinking on and off. */
  readonly switch: 'enable_thinking' | 'thinking' | 'thinking_budget' | null;
  /** Whether the template takes `reasoning_effort`. */
  readonly efforts: boolean;
}

const MARKS: readonly ThoughtMarks[] = [
  { open: '<seed:think>', close: '</seed:think>' },
  { open: '[THINK]', close: '[/THINK]' },
  { open: '<|START_THINKING|>', close: '<|END_THINKING|>' },
  { open: '<|channel>thought', close: '<channel|>' },
  { open: '<|inner_prefix|>', close: '<|inner_suffix|>' },
  { open: '◁think▷', close: '◁/think▷' },
  { open: '<thought>', close: '</thought>' },
  { open: '<thinking>', close: '</thinking>' },
  { open: '<reasoning>', close: '</reasoning>' },
  { open: '<think>', close: '</think>' },
];

/** Null for a model that does not think. */
export function thoughtTraits(template: string): ThoughtTraits | null {
  const channels = template.includes('<|channel|>') && template.includes('analysis');
  const marks = channels
    ? null
    : (MARKS.find(({ open, close }) => template.includes(open) || template.includes(close)) ?? null);
  if (!channels && marks === null) return null;
  return { marks, switch: switchIn(template), efforts: /\breasoning_effort\b/.test(template) };
}

function switchIn(template: string): ThoughtTraits['switch'] {
  if (/\benable_thinking\b/.test(template)) return 'enable_thinking';
  // As a word of its own: messages have a member of the same name.
  if (/\b(?:if|elif|not|and|or)\s+thinking\b|\bthinking\s+is\s+(?:not\s+)?defined\b/.test(template)) return 'thinking';
  return /\bthinking_budget\b/.test(template) ? 'thinking_budget' : null;
}

/**
 * What of a wish reaches the template.
 * @returns null where nothing of it does
 */
export function heardThink(think: Think, traits: ThoughtTraits | null): Think | null {
  if (think === undefined || traits === null) return think ? null : undefined;
  if (think === false) return traits.switch === null ? null : false;
  if (think === true || traits.efforts) return think;
  // Which effort is all the same to it; that it shall think is not.
  return true;
}

/** The same in the template's own words. */
export function templateWords(think: Think, traits: ThoughtTraits): Record<string, unknown> {
  if (think === undefined) return {};
  const words: Record<string, unknown> = {};
  if (typeof think === 'string' && traits.efforts) words['reasoning_effort'] = think;
  if (traits.switch === 'thinking_budget') {
    if (think === false) words['thinking_budget'] = 0;
  } else if (traits.switch !== null) words[traits.switch] = think !== false;
  return words;
}

/** What a body or a call says, where it is something that can be meant. */
export function toThink(value: unknown): Think {
  return value === 'low' || value === 'medium' || value === 'high' || typeof value === 'boolean' ? value : undefined;
}
