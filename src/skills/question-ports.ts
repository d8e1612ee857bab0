// What a tool may ask the person it works for, and what skills/ needs from outside to keep such questions. No I/O in this file.
import type { Owner } from '../shared/owner.js';

/** One thing that is asked for. Names, titles and descriptions are the tool's own words, bounded. */
export interface QuestionField {
  name: string;
  title: string;
  description: string | null;
  required: boolean;
  type: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'choices';
  /** Of a text. */
  format: 'email' | 'uri' | 'date' | 'date-time' | null;
  /** Of a number its bounds, of a text its length, of choices their number. */
  minimum: number | null;
  maximum: number | null;
  /** Of a choice or choices. */
  options: readonly { value: string; title: string }[];
  /** Fits the field; null where there is none. */
  initial: FieldValue | null;
}

export type FieldValue = string | number | boolean | readonly string[];

/** `link` is a page for the person to open; nobody else does. `model` is for leave to ask the model what `message` says. */
export type ToolQuestion =
  | { kind: 'form'; message: string; fields: readonly QuestionField[] }
  | { kind: 'link'; message: string; url: string }
  | { kind: 'model'; message: string; system: string; maxTokens: number };

/** `decline` is a no; `cancel` is no answer, such as when nobody was there. */
export type ToolAnswer =
  | { action: 'accept'; content: Readonly<Record<string, FieldValue>> }
  | { action: 'decline' }
  | { action: 'cancel' };
export type AnswerAction = ToolAnswer['action'];

/** `answered` waits for the call it was given for; `used`, `expired` and `cancelled` are over. */
export type QuestionState = 'waiting' | 'answered' | 'used' | 'expired' | 'cancelled';

export interface Question {
  id: string;
  /** Whose conversation is asked. */
  owner: Owner;
  tool: string;
  title: string;
  /** How the tool's server is called by people; null for one of Venom's own. */
  server: string | null;
  /** Of the tool's definition and of all that is asked. */
  hash: string;
  question: ToolQuestion;
  sessionId: string | null;
  requestId: string;
  state: QuestionState;
  action: AnswerAction | null;
  /** Kept only until the tool has it. */
  answer: ToolAnswer | null;
  createdAt: number;
  answeredAt: number | null;
}

export interface QuestionPage {
  state?: QuestionState | undefined;
  sessionId?: string | undefined;
  /** Whose; the house sees all of them. */
  viewer?: Owner | undefined;
  limit: number;
}

/** Everything that returns a promise resolves when it is on disk. */
export interface QuestionRepository {
  add(question: Question): Promise<void>;
  /** Only from one of `from`; whether it was. What is no longer waited for loses its answer's content. */
  move(
    id: string,
    from: readonly QuestionState[],
    to: { state: QuestionState; answer?: ToolAnswer; answeredAt?: number },
  ): Promise<boolean>;
  get(id: string): Question | undefined;
  /** Newest first. */
  list(query: QuestionPage): Question[];
  /** Of one turn, in the order they came. */
  ofRequest(requestId: string): Question[];
}
