// What everybody who works on one turn has at hand: the turn, its model, what goes along, and where its words are shown.
import type { Clock } from '../../shared/clock.js';
import type { IntentRecognizer, Language } from '../intent.js';
import type { EventSink } from '../ports.js';
import type { ToolBox, ToolFinding } from '../task-ports.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { BuiltContext } from '../turn-ports.js';
import type { TaskModel } from './task-model.js';
import type { DecidedTurn } from './task-turn.js';

export interface TurnWork {
  turn: DecidedTurn;
  model: TaskModel;
  /** With the labels of everything that is known to go along. */
  context: BuiltContext;
  /** The model is known to be too small for long forms. */
  small: boolean;
  /** Tokens that may be sent to the model. */
  budgetTokens: number;
  /** Of the answer. */
  language: Language;
  tracer: RequestTracer;
  events: EventSink;
  toolBox: ToolBox;
  intents: IntentRecognizer;
  clock: Clock;
  /** Calls a tool for an agent that needs no model's word for it. @throws the reason of a stop */
  callTool: (name: string, input: Record<string, unknown>) => Promise<ToolFinding>;
  /** Text of the answer as it comes, and how the stream goes. */
  show: (delta: string) => void;
}

/** Labels of what went along from the start, and of what tools found since. */
export const labelsOf = ({ context, model }: Pick<TurnWork, 'context' | 'model'>): readonly string[] => [
  ...new Set([...context.labels, ...model.labels]),
];

type Message = BuiltContext['messages'][number];

/** The same set-up for another voice: what goes along in the system message (session, memory) stays behind its new prompt. */
export const spokenBy = (message: Message, prompt: string, instead: { prompt: string }): Message => ({
  ...message,
  content: message.content.startsWith(instead.prompt) ? prompt + message.content.slice(instead.prompt.length) : prompt,
});

/** What a council or a campaign has used of what it may, as clients see it. */
export const budgetShown = (
  spent: { tokens: number; costUsd: number; elapsedMs: number },
  bounds: { tokens: number; costUsd: number; durationMs: number },
) => ({
  tokens_used: spent.tokens,
  tokens_limit: bounds.tokens,
  cost_usd: spent.costUsd,
  cost_limit_usd: bounds.costUsd,
  elapsed_ms: Math.round(spent.elapsedMs),
  time_limit_ms: bounds.durationMs,
});
