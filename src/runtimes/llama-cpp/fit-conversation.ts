// A conversation in the context of a model: as it is, or without its oldest turns where whoever asks agrees to that. What
// the system says and everything since the last question always stays.
import { AppError } from '../../shared/errors.js';
import type { PromptTokenizer, PromptTokens } from './prompt-tokens.js';
import type { Think } from './thoughts/thought-traits.js';
import type { ToolOrder } from './tool-calls/tool-order.js';
import type { ChatMessage } from './worker-protocol.js';

/** Runs of blanks are the longest tokens there are. */
const LONGEST_TOKEN_CHARS = 256;
/** Of ordinary text no token is nearly as long: what lies further back cannot fit. */
const MOST_TOKEN_CHARS = 16;
/** Left for the answer where turns are dropped, if there is no limit to it. */
const ANSWER_SHARE = 0.25;

export interface Conversation {
  messages: readonly ChatMessage[];
  tools: ToolOrder | undefined;
  think: Think;
  /** Where it is too long its oldest turns go, instead of an error. */
  dropOldest: boolean;
  maxTokens: number | undefined;
}

export interface FittedPrompt extends PromptTokens {
  /** Messages that went. */
  dropped: number;
}

/** @throws AppError `context_length_exceeded` */
export function fitConversation(
  prompts: Pick<PromptTokenizer, 'tokens'>,
  conversation: Conversation,
  contextLength: number,
): FittedPrompt {
  const { messages, tools, think, dropOldest, maxTokens } = conversation;
  const turns = dropOldest ? turnStarts(messages) : [];
  const first = turns[0] ?? 0;
  const without = (turn: number): ChatMessage[] =>
    turn === 0 ? [...messages] : [...messages.slice(0, first), ...kept(messages, first, turns[turn] as number)];
  const render = (turn: number) => prompts.tokens(without(turn), tools, think);
  // How many turns may go at most: the last one stays.
  const most = Math.max(0, turns.length - 1);
  let least = 0;
  for (let chars = charsOf(messages, tools); least < most && chars > contextLength * MOST_TOKEN_CHARS; least += 1)
    chars -= charsOf(messages.slice(turns[least], turns[least + 1]).filter(goes), undefined);
  refuseHopeless(without(least), tools, contextLength);
  const answer = Math.min(
    maxTokens ?? Number.POSITIVE_INFINITY,
    Math.max(64, Math.floor(contextLength * ANSWER_SHARE)),
  );
  const whole = render(least);
  const fits = ({ tokens }: PromptTokens) => tokens.length + answer < contextLength;
  const end = (prompt: PromptTokens, turn: number): FittedPrompt => {
    if (prompt.tokens.length + 1 < contextLength) return { ...prompt, dropped: messages.length - without(turn).length };
    throw tooLong(prompt.tokens.length, contextLength);
  };
  if (most === least || fits(whole)) return end(whole, least);
  // The fewest turns without which it fits, found by halves: rendering a long conversation takes a while.
  let found = { turn: most, prompt: render(most) };
  for (let low = least + 1, high = most; low < high; ) {
    const turn = (low + high) >> 1;
    const prompt = render(turn);
    if (fits(prompt)) {
      found = { turn, prompt };
      high = turn;
    } else low = turn + 1;
  }
  return end(found.prompt, found.turn);
}

/** Where each question begins, with the first thing said that is not the system's before it. */
function turnStarts(messages: readonly ChatMessage[]): number[] {
  const begun = messages.findIndex(({ role }) => role !== 'system');
  return messages.flatMap(({ role }, index) => (role === 'user' || index === begun ? [index] : []));
}

/** What the system says in the middle stays, too. */
const goes = ({ role }: ChatMessage): boolean => role !== 'system';

const kept = (messages: readonly ChatMessage[], from: number, start: number): ChatMessage[] => [
  ...messages.slice(from, start).filter((message) => !goes(message)),
  ...messages.slice(start),
];

const charsOf = (messages: readonly ChatMessage[], order: ToolOrder | undefined): number =>
  messages.reduce((sum, { text }) => sum + text.length, order ? JSON.stringify(order.tools).length : 0);

/** Tokenizing megabytes takes seconds, in which nobody else is answered; that they do not fit is seen at once. */
export function refuseHopeless(
  messages: readonly ChatMessage[],
  order: ToolOrder | undefined,
  contextLength: number,
): void {
  const chars = charsOf(messages, order);
  if (chars > contextLength * LONGEST_TOKEN_CHARS) throw tooLong(Math.ceil(chars / LONGEST_TOKEN_CHARS), contextLength);
}

/** In words that clients of several vendors look for, to shorten what they send. */
const tooLong = (tokens: number, contextLength: number): AppError =>
  new AppError(
    'context_length_exceeded',
    `This model's maximum context length is ${contextLength} tokens, and the prompt is too long: ${tokens} tokens > ${contextLength} maximum.`,
    { details: { prompt_tokens: tokens, context_length: contextLength } },
  );
