// Answers that are being written, by session. They live outside the pages, so that they go on while another page is open.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { useSyncExternalStore } from 'react';
import { ApiError, send } from '../../lib/http';
import type { Parameters } from './parameters';

const RECONNECTS = 5;

export interface LiveAnswer {
  question: string | null;
  requestId: string | null;
  text: string;
  startedAt: number;
  firstAt: number | null;
  /** Pieces that arrived; about one per token. */
  pieces: number;
  error: string | null;
  done: boolean;
}

const answers = new Map<string, LiveAnswer>();
const aborts = new Map<string, AbortController>();
const listeners = new Set<() => void>();

function change(sessionId: string, next: Partial<LiveAnswer>): void {
  const current = answers.get(sessionId);
  if (!current) return;
  answers.set(sessionId, { ...current, ...next });
  for (const listener of listeners) listener();
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
  if (answers.delete(sessionId)) for (const listener of listeners) listener();
}

function begin(sessionId: string, question: string | null, requestId: string | null): AbortController {
  const abort = new AbortController();
  aborts.set(sessionId, abort);
  answers.set(sessionId, {
    question,
    requestId,
    text: '',
    startedAt: performance.now(),
    firstAt: null,
    pieces: 0,
    error: null,
    done: false,
  });
  for (const listener of listeners) listener();
  return abort;
}

export async function ask(
  sessionId: string,
  content: string,
  model: string | undefined,
  parameters: Parameters,
): Promise<void> {
  const abort = begin(sessionId, content, null);
  const body = { content, session_id: sessionId, resumable: true, ...(model ? { model } : {}), ...parameters };
  const key = crypto.randomUUID();
  await follow(sessionId, abort.signal, () =>
    send('/llm/simple/stream', { json: body, headers: { 'idempotency-key': key }, signal: abort.signal }),
  );
}

/** Comes back to an answer another page, or this one before a reload, has asked for. */
export async function rejoin(sessionId: string, requestId: string): Promise<void> {
  if (answers.has(sessionId)) return;
  const abort = begin(sessionId, null, requestId);
  await follow(sessionId, abort.signal, () => send(`/llm/simple/stream/${requestId}`, { signal: abort.signal }));
}

export async function stop(sessionId: string): Promise<void> {
  const requestId = answers.get(sessionId)?.requestId;
  if (requestId) await send(`/llm/simple/stream/${requestId}/cancel`, { method: 'POST' }).catch(() => undefined);
  else aborts.get(sessionId)?.abort();
}

async function follow(sessionId: string, signal: AbortSignal, open: () => Promise<Response>): Promise<void> {
  let lastEventId = '';
  for (let attempt = 0; ; attempt += 1) {
    const requestId = answers.get(sessionId)?.requestId;
    try {
      const response = await (lastEventId && requestId
        ? send(`/llm/simple/stream/${requestId}`, { signal, headers: { 'last-event-id': lastEventId } })
        : open());
      change(sessionId, { requestId: response.headers.get('x-request-id') });
      if (
        await read(sessionId, response, (id) => {
          lastEventId = id;
        })
      )
        return;
      throw new Error('The stream broke off.');
    } catch (error) {
      const final = signal.aborted || (error instanceof ApiError && error.status > 0) || attempt >= RECONNECTS;
      if (final) {
        change(sessionId, { done: true, error: signal.aborted ? null : (error as Error).message });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** attempt));
    }
  }
}

/** Whether the answer came to its end. */
async function read(sessionId: string, response: Response, onId: (id: string) => void): Promise<boolean> {
  if (!response.body) return false;
  const events = response.body.pipeThrough(new TextDecoderStream() as never).pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    if (value.id) onId(value.id);
    const data = JSON.parse(value.data) as { text?: string; code?: string; message?: string };
    if (value.event === 'content') {
      const current = answers.get(sessionId);
      change(sessionId, {
        text: (current?.text ?? '') + (data.text ?? ''),
        pieces: (current?.pieces ?? 0) + 1,
        firstAt: current?.firstAt ?? performance.now(),
      });
    } else if (value.event === 'error') {
      change(sessionId, { done: true, error: data.code === 'cancelled' ? null : (data.message ?? '') });
      return true;
    } else if (value.event === 'done') {
      change(sessionId, { done: true });
      return true;
    }
  }
}
