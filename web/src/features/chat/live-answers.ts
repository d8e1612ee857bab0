// Answers that are being written, by session. They live outside the pages, so that they go on while another page is open.
import { useSyncExternalStore } from 'react';
import { ApiError } from '../../lib/http';
import {
  type AnswerFailure,
  type AnswerStream,
  type DividedWork,
  findAnswer,
  openAnswer,
  readAnswer,
  stopAnswer,
} from './answer-streams';
import { DrawingPace } from './drawing-pace';
import { type Mode, modeFor } from './mode';
import type { Parameters } from './parameters';

const RECONNECTS = 5;
const LOGS_KEPT = 50;

export interface LiveAnswer {
  mode: Mode;
  question: string | null;
  requestId: string | null;
  text: string;
  thought: string;
  startedAt: number;
  firstAt: number | null;
  /** Pieces that arrived; about one per token. */
  pieces: number;
  /** Of a task: where it stands. */
  status: string | null;
  intent: string | null;
  logs: string[];
  work: DividedWork;
  /** Texts of steps while they are written, by their numbers. */
  parts: Readonly<Record<number, string>>;
  error: AnswerFailure | null;
  done: boolean;
}

const answers = new Map<string, LiveAnswer>();
/** How to ask again what was not acknowledged. */
const attempts = new Map<string, () => Promise<void>>();
const aborts = new Map<string, AbortController>();
const listeners = new Set<() => void>();
const pace = new DrawingPace(() => {
  for (const listener of listeners) listener();
});

function change(sessionId: string, next: Partial<LiveAnswer>): void {
  const current = answers.get(sessionId);
  if (!current) return;
  answers.set(sessionId, { ...current, ...next });
  // Words are drawn as the page keeps up with them, everything else at once.
  if ('text' in next || 'parts' in next) pace.soon();
  else pace.now();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useLiveAnswer = (sessionId: string): LiveAnswer | undefined =>
  useSyncExternalStore(subscribe, () => answers.get(sessionId));
export const isAnswering = (sessionId: string): boolean => answers.get(sessionId)?.done === false;

/** Forgets an answer whose stored form is shown by now. */
export function dismissAnswer(sessionId: string): void {
  attempts.delete(sessionId);
  if (answers.delete(sessionId)) pace.now();
}

function begin(
  sessionId: string,
  { mode, question, requestId }: Pick<LiveAnswer, 'mode' | 'question' | 'requestId'>,
): AbortController {
  const abort = new AbortController();
  aborts.set(sessionId, abort);
  answers.set(sessionId, {
    mode,
    question,
    requestId,
    text: '',
    thought: '',
    startedAt: performance.now(),
    firstAt: null,
    pieces: 0,
    status: null,
    intent: null,
    logs: [],
    work: { plan: null, planSource: null, council: null, campaign: null, noCouncil: null },
    parts: {},
    error: null,
    done: false,
  });
  pace.now();
  return abort;
}

export interface AskOptions {
  mode: Mode;
  parameters: Parameters;
  images?: readonly string[];
  /** For this answer alone. */
  model?: string | undefined;
  /** For the conversation from now on. */
  instructions?: string | undefined;
}

export async function ask(sessionId: string, content: string, options: AskOptions): Promise<void> {
  const mode = modeFor(content, options.mode, options.images);
  // The same key, however often: the server may have taken what it could not acknowledge.
  const key = newKey();
  const attempt = () => {
    const { signal } = begin(sessionId, { mode, question: content, requestId: null });
    return follow(sessionId, signal, () => openAnswer({ content, sessionId, ...options, mode }, key, signal));
  };
  attempts.set(sessionId, attempt);
  await attempt();
}

/** Once more what was asked last, as it was asked, where that was not acknowledged. */
export const retry = (sessionId: string): void => void attempts.get(sessionId)?.();

/** `crypto.randomUUID` is missing on pages that came over plain HTTP from another machine. */
const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Comes back to an answer another page, or this one before a reload, has asked for. */
export async function rejoin(sessionId: string, requestId: string): Promise<void> {
  if (answers.has(sessionId)) return;
  const { signal } = begin(sessionId, { mode: 'direct', question: null, requestId });
  await follow(sessionId, signal, () => findAnswer(requestId, signal));
}

export async function stop(sessionId: string): Promise<void> {
  const requestId = answers.get(sessionId)?.requestId;
  if (requestId) await stopAnswer(requestId).catch(() => undefined);
  else aborts.get(sessionId)?.abort();
}

async function follow(sessionId: string, signal: AbortSignal, find: () => Promise<AnswerStream>): Promise<void> {
  let stream: AnswerStream | undefined;
  let lastEventId = '';
  for (let attempt = 0; ; attempt += 1) {
    try {
      stream ??= await find();
      change(sessionId, { requestId: stream.requestId });
      const response = await stream.open(lastEventId, signal);
      const ended = await readAnswer(
        response,
        stream,
        (id) => {
          lastEventId = id;
        },
        (what) => {
          const current = answers.get(sessionId);
          if (!current) return;
          if (what.type === 'text')
            change(sessionId, {
              text: current.text + what.text,
              pieces: current.pieces + 1,
              firstAt: current.firstAt ?? performance.now(),
            });
          else if (what.type === 'thought')
            change(sessionId, {
              thought: current.thought + what.text,
              pieces: current.pieces + 1,
              firstAt: current.firstAt ?? performance.now(),
            });
          else if (what.type === 'reset') change(sessionId, { text: '' });
          else if (what.type === 'part') {
            const before = (current.parts[what.step] ?? '').slice(0, what.offset);
            change(sessionId, { parts: { ...current.parts, [what.step]: before + what.text } });
          } else if (what.type === 'state')
            change(sessionId, {
              status: what.status,
              intent: what.intent ?? current.intent,
              work: what.work,
              logs: [...current.logs, ...what.logs].slice(-LOGS_KEPT),
            });
          else change(sessionId, { done: true, error: what.error });
        },
      );
      if (ended) return;
      throw new Error('The stream broke off.');
    } catch (error) {
      const final = signal.aborted || (error instanceof ApiError && error.status > 0) || attempt >= RECONNECTS;
      if (final) {
        const code = error instanceof ApiError ? error.code : null;
        change(sessionId, { done: true, error: signal.aborted ? null : { code, text: (error as Error).message } });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** attempt));
    }
  }
}
