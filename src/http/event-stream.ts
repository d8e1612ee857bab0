// Writes one answer as server-sent events to one client, from wherever it left off, at the client's own pace.
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { StoredMessage } from '../chat/ports.js';
import type { LiveTurn, TurnFailure } from '../chat/turns/live-turn.js';
import type { RanWith } from '../routing/decision.js';
import { isExact } from '../routing/strict-params.js';
import { GATHER_MS, gather, stopGathering } from '../shared/gather.js';

/** Where a client stands: characters of text and other events it has seen. */
export interface StreamPosition {
  requestId: string;
  text: number;
  events: number;
  thought: number;
}

type Seen = Omit<StreamPosition, 'requestId'>;

/** The form of our event ids: `<request id>:<characters>.<other events>`, and `.<characters of thought>` where there are some. */
export function parseEventId(id: string | undefined): StreamPosition | undefined {
  const match = /^([0-9a-f-]{36}):(\d{1,9})(?:\.(\d{1,6})(?:\.(\d{1,9}))?)?$/.exec(id ?? '');
  if (!match) return undefined;
  const [, requestId = '', text, events = 0, thought = 0] = match;
  return { requestId, text: Number(text), events: Number(events), thought: Number(thought) };
}

const MAX_LOGPROBS = 128;

/** What the guard has set for a browser of another origin, which a hijacked answer must carry itself. */
export function corsOf(reply: FastifyReply): Record<string, string> {
  const set: Record<string, string> = {};
  const headers = reply.getHeaders();
  for (const name in headers)
    if (name.startsWith('access-control') || name === 'vary') set[name] = headers[name] as string;
  return set;
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
/** An engine whose packets are gathered already comes at the pace of the gathering, give or take a little. */
const REST_MS = GATHER_MS / 2;
/**
 * Follows a running answer. A slow reader gets fewer, larger events: what waits for it is the turn's own text, so
 * nothing is buffered per client beyond one event.
 */
export function followLive(response: ServerResponse, turn: LiveTurn, from: Seen | undefined): void {
  let text = Math.min(from?.text ?? 0, turn.text.length);
  let events = Math.min(from?.events ?? 0, turn.events.length);
  let thought = Math.min(from?.thought ?? 0, turn.thought.length);
  let started = from !== undefined;
  let writtenAt = 0;
  let waiting = false;
  let closed = false;

  const pending = (): string => {
    let blocks = '';
    const id = () => eventId(turn.requestId, { text, events, thought });
    if (!started) {
      started = true;
      blocks += block('start', {}, id());
    }
    for (; events < turn.events.length; ) {
      const event = turn.events[events];
      events += 1;
      if (event?.type === 'tool-calls') blocks += block('tool_calls', { tool_calls: event.toolCalls }, id());
      else if (event)
        blocks += block('telemetry', { kind: 'logprobs', content: event.content.slice(0, MAX_LOGPROBS) }, id());
    }
    if (thought < turn.thought.length) {
      const delta = turn.thought.slice(thought);
      thought = turn.thought.length;
      blocks += block('thinking', { text: delta }, id());
      writtenAt = performance.now();
    }
    if (text < turn.text.length) {
      const delta = turn.text.slice(text);
      text = turn.text.length;
      blocks += block('content', { text: delta }, id());
      writtenAt = performance.now();
    }
    if (turn.outcome) blocks += last(turn.outcome.failure, turn.ranWith, id());
    return blocks;
  };
  const pump = () => {
    if (waiting || closed) return;
    if (turn.outcome) {
      leave();
      response.end(pending());
      return;
    }
    const blocks = pending();
    if (blocks === '' || response.write(blocks)) return;
    waiting = true;
    response.once('drain', () => {
      waiting = false;
      pump();
    });
  };
  const onChange = () => {
    if (writtenAt > 0 && !turn.outcome && performance.now() - writtenAt < REST_MS) gather(pump);
    else pump();
  };
  const heartbeat = setInterval(() => {
    if (!waiting) response.write(':\n\n');
  }, HEARTBEAT_MS);
  const stopListening = turn.listen(onChange);
  const leave = () => {
    if (closed) return;
    closed = true;
    stopGathering(pump);
    clearInterval(heartbeat);
    stopListening();
  };
  response.on('close', leave);
  response.on('error', leave);
  // After what has arrived meanwhile: head, start and first text then leave as one write.
  setImmediate(pump);
}

/** The rest of an answer that has ended. */
export function replayStored(response: ServerResponse, answer: StoredMessage, from: Seen | undefined): void {
  const { requestId, content } = answer;
  const thought = answer.thought ?? '';
  const before = { text: from?.text ?? 0, events: from?.events ?? 0, thought: thought.length };
  const end = eventId(requestId, { ...before, text: content.length });
  const rest = content.slice(before.text);
  const unthought = thought.slice(from?.thought ?? 0);
  const failure =
    answer.status === 'complete'
      ? null
      : (answer.error ?? {
          code: answer.status,
          message: answer.status === 'cancelled' ? 'The answer was stopped.' : 'The answer is incomplete.',
        });
  response.end(
    (from ? '' : block('start', {}, `${requestId}:0.0`)) +
      (unthought ? block('thinking', { text: unthought }, eventId(requestId, before)) : '') +
      (rest ? block('content', { text: rest }, end) : '') +
      last(failure, answer.usage?.ranWith, end),
  );
}

const eventId = (requestId: string, { text, events, thought }: Seen): string =>
  `${requestId}:${text}.${events}${thought > 0 ? `.${thought}` : ''}`;

const last = (failure: TurnFailure | null, ranWith: RanWith | null | undefined, id: string): string =>
  failure
    ? block('error', { code: failure.code, message: failure.message, error: failure.message }, id)
    : // Empty, as the original's clients know it, unless there is something to say.
      block('done', ranWith && !isExact(ranWith) ? { ran_with: ranWith } : {}, id);

const block = (event: string, payload: unknown, id: string): string =>
  `event: ${event}\ndata: ${JSON.stringify(payload)}\nid: ${id}\n\n`;
