// Writes one answer as server-sent events to one client, from wherever it left off, at the client's own pace.
import type { ServerResponse } from 'node:http';
import type { StoredMessage } from '../chat/ports.js';
import type { LiveTurn, TurnFailure } from '../chat/turns/live-turn.js';

/** Where a client stands: characters of text and other events it has seen. */
export interface StreamPosition {
  requestId: string;
  text: number;
  events: number;
}

/** The form of our event ids: `<request id>:<characters>.<other events>`. */
export function parseEventId(id: string | undefined): StreamPosition | undefined {
  const match = /^([0-9a-f-]{36}):(\d{1,9})(?:\.(\d{1,6}))?$/.exec(id ?? '');
  return match ? { requestId: match[1] as string, text: Number(match[2]), events: Number(match[3] ?? 0) } : undefined;
}

export function openEventStream(response: ServerResponse, headers: Record<string, string>): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    connection: 'keep-alive',
    'x-accel-buffering': 'no',
    ...headers,
  });
}

const HEARTBEAT_MS = 15_000;

/**
 * Follows a running answer. A slow reader gets fewer, larger events: what waits for it is the turn's own text, so
 * nothing is buffered per client beyond one event.
 */
export function followLive(
  response: ServerResponse,
  turn: LiveTurn,
  from: { text: number; events: number } | undefined,
): void {
  let text = Math.min(from?.text ?? 0, turn.text.length);
  let events = Math.min(from?.events ?? 0, turn.events.length);
  let waiting = false;
  let closed = false;
  const id = () => `${turn.requestId}:${text}.${events}`;

  const pump = () => {
    if (waiting || closed) return;
    let free = true;
    while (free && events < turn.events.length) {
      const event = turn.events[events];
      events += 1;
      if (event?.type === 'tool-calls') free = write(response, 'tool_calls', { tool_calls: event.toolCalls }, id());
      else if (event)
        free = write(response, 'telemetry', { kind: 'logprobs', content: event.content.slice(0, 128) }, id());
    }
    if (free && text < turn.text.length) {
      const delta = turn.text.slice(text);
      text = turn.text.length;
      free = write(response, 'content', { text: delta }, id());
    }
    if (!free) {
      waiting = true;
      response.once('drain', () => {
        waiting = false;
        pump();
      });
      return;
    }
    if (turn.outcome) {
      finish(response, turn.outcome.failure, id());
      leave();
    }
  };
  const heartbeat = setInterval(() => {
    if (!waiting) response.write(':\n\n');
  }, HEARTBEAT_MS);
  const stopListening = turn.listen(pump);
  const leave = () => {
    if (closed) return;
    closed = true;
    clearInterval(heartbeat);
    stopListening();
  };
  response.on('close', leave);
  response.on('error', leave);
  if (!from) write(response, 'start', {}, id());
  pump();
}

/** The rest of an answer that has ended. */
export function replayStored(
  response: ServerResponse,
  answer: StoredMessage,
  from: { text: number; events: number } | undefined,
): void {
  const end = `${answer.requestId}:${answer.content.length}.${from?.events ?? 0}`;
  if (!from) write(response, 'start', {}, `${answer.requestId}:0.0`);
  const rest = answer.content.slice(from?.text ?? 0);
  if (rest) write(response, 'content', { text: rest }, end);
  const failure =
    answer.status === 'complete'
      ? null
      : (answer.error ?? {
          code: answer.status,
          message: answer.status === 'cancelled' ? 'The answer was stopped.' : 'The answer is incomplete.',
        });
  finish(response, failure, end);
}

function finish(response: ServerResponse, failure: TurnFailure | null, id: string): void {
  if (failure) write(response, 'error', { code: failure.code, message: failure.message, error: failure.message }, id);
  else write(response, 'done', {}, id);
  response.end();
}

function write(response: ServerResponse, event: string, payload: unknown, id: string): boolean {
  return response.write(`event: ${event}\ndata: ${JSON.stringify(payload)}\nid: ${id}\n\n`);
}
