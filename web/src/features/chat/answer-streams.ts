// The two ways an answer comes over the wire: Direct chat as it is written, and a task with its plan and its log. Both as
// one kind of change, so that the page need not know which it was.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { errorText } from '../../lib/error-text';
import { send } from '../../lib/http';
import type { Mode } from './mode';
import type { Parameters } from './parameters';

export interface PlanStep {
  step: number;
  agent: string;
  instruction: string;
  depends_on: number[];
  status: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  /** The end of what a running step has written so far. */
  preview?: string;
}

/** What may be spent, and what was. */
export interface Budget {
  tokens_used: number;
  tokens_limit: number;
  cost_usd: number;
  cost_limit_usd: number;
}

/** Voices that talk a goal over. */
export interface Council {
  rounds_limit: number;
  round?: number;
  statements: {
    step: number;
    round: number;
    member: string;
    status: 'running' | 'done' | 'failed';
    agrees: boolean | null;
  }[];
  budget: Budget;
  stopped?: 'agreed' | 'rounds' | 'tokens' | 'cost' | 'time';
}

export interface Campaign {
  goals: { step: number; goal: string; status: 'PENDING' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' }[];
  paused: boolean;
  budget: Budget;
  stopped?: 'done' | 'tokens' | 'cost' | 'time';
}

/** How a task's work is divided, as far as it is. */
export interface DividedWork {
  plan: PlanStep[] | null;
  planSource: string | null;
  council: Council | null;
  campaign: Campaign | null;
  /** Why a goal that might have been talked over was not. */
  noCouncil: 'small_model' | 'off' | null;
}

/** In the reader's language. */
export interface AnswerFailure {
  code: string | null;
  text: string;
}

export type AnswerChange =
  | { type: 'text'; text: string }
  /** What the model thinks before it answers. */
  | { type: 'thought'; text: string }
  /** What was shown is not the answer after all, such as a draft. */
  | { type: 'reset' }
  /** Of a step while it is written; `offset` 0 begins it anew. */
  | { type: 'part'; step: number; offset: number; text: string }
  | { type: 'state'; status: string; logs: string[]; work: DividedWork; intent: string | null }
  | { type: 'end'; error: AnswerFailure | null };

export interface AnswerStream {
  /** Also the id of its trace. */
  requestId: string;
  /** Opens it, or comes back to it after `lastEventId`. */
  open(lastEventId: string, signal: AbortSignal): Promise<Response>;
  read(event: string | undefined, data: string): AnswerChange[];
}

interface Question {
  content: string;
  sessionId: string;
  mode: Mode;
  parameters: Parameters;
  /** As data URLs. */
  images?: readonly string[];
  model?: string | undefined;
  instructions?: string | undefined;
}

/** Asks, and returns how to follow the answer. The same key never asks twice. */
export async function openAnswer(question: Question, key: string, signal: AbortSignal): Promise<AnswerStream> {
  const { content, sessionId, mode, parameters, images = [], model, instructions } = question;
  const kept = instructions === undefined ? {} : { instructions };
  const headers = { 'idempotency-key': key };
  if (mode === 'direct') {
    const json = {
      content,
      session_id: sessionId,
      resumable: true,
      ...parameters,
      ...kept,
      ...(model ? { model } : {}),
    };
    let first: Response | undefined = await send('/llm/simple/stream', { json, headers, signal });
    const requestId = first.headers.get('x-request-id') ?? '';
    const stream = directStream(requestId);
    return {
      ...stream,
      open: async (lastEventId, again) => {
        const response = first ?? (await stream.open(lastEventId, again));
        first = undefined;
        return response;
      },
    };
  }
  const { seed: _seed, ...generation } = parameters;
  const json = {
    content,
    session_id: sessionId,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(mode === 'complex' ? { forced_intent: 'COMPLEX_PLANNING' } : {}),
    ...kept,
    ...(images.length > 0 ? { images } : {}),
    ...(model ? { model } : {}),
    ...(Object.keys(generation).length > 0 ? { generation_params: generation } : {}),
  };
  const response = await send('/tasks', { json, headers, signal });
  return taskStream(((await response.json()) as { task_id: string }).task_id);
}

/** An answer somebody else asked for, or this page before a reload. */
export async function findAnswer(requestId: string, signal: AbortSignal): Promise<AnswerStream> {
  const isTask = await send(`/tasks/${requestId}`, { signal }).then(
    () => true,
    () => false,
  );
  return isTask ? taskStream(requestId) : directStream(requestId);
}

export async function stopAnswer(requestId: string): Promise<void> {
  const direct = await send(`/llm/simple/stream/${requestId}/cancel`, { method: 'POST' });
  const { cancelled } = (await direct.json()) as { cancelled: boolean };
  if (!cancelled) await send(`/queue/task/${requestId}/abort`, { method: 'POST' });
}

function directStream(requestId: string): AnswerStream {
  return {
    requestId,
    open: (lastEventId, signal) =>
      send(`/llm/simple/stream/${requestId}`, {
        signal,
        ...(lastEventId ? { headers: { 'last-event-id': lastEventId } } : {}),
      }),
    read: (event, text) => {
      const data = JSON.parse(text) as { text?: string; code?: string; message?: string };
      if (event === 'content') return [{ type: 'text', text: data.text ?? '' }];
      if (event === 'thinking') return [{ type: 'thought', text: data.text ?? '' }];
      if (event === 'error')
        return [{ type: 'end', error: data.code === 'cancelled' ? null : failureOf(data.code, data.message) }];
      return event === 'done' ? [{ type: 'end', error: null }] : [];
    },
  };
}

interface TaskEvent {
  status?: string;
  text?: string;
  logs?: string[];
  detail?: string;
  llm_error?: { error_code?: string; error_message?: string } | null;
  step?: number;
  offset?: number;
  context_history?: {
    plan?: PlanStep[];
    plan_source?: string;
    council?: Council;
    campaign?: Campaign;
    council_choice?: { convened: boolean; reason: string };
    tool_requirement?: { intent?: string };
  };
}

function taskStream(taskId: string): AnswerStream {
  return {
    requestId: taskId,
    open: (lastEventId, signal) =>
      send(`/tasks/${taskId}/stream?deltas=true`, {
        signal,
        ...(lastEventId ? { headers: { 'last-event-id': lastEventId } } : {}),
      }),
    read: (event, text) => {
      const data = JSON.parse(text) as TaskEvent;
      switch (event) {
        case 'task_delta':
          return [{ type: 'text', text: data.text ?? '' }];
        case 'step_delta':
          return [{ type: 'part', step: data.step ?? 0, offset: data.offset ?? 0, text: data.text ?? '' }];
        case 'task_reset':
          return [{ type: 'reset' }];
        case 'task_update':
          return [toState(data)];
        case 'task_finished': {
          const error = data.llm_error;
          const failed = data.status !== 'COMPLETED' && error?.error_code !== 'cancelled';
          return [
            toState(data),
            {
              type: 'end',
              error: failed ? failureOf(error?.error_code, error?.error_message ?? data.status) : null,
            },
          ];
        }
        case 'task_missing':
          return [{ type: 'end', error: failureOf('task_not_found', data.detail) }];
        default:
          return [];
      }
    },
  };
}

const failureOf = (code: string | undefined, message = ''): AnswerFailure => ({
  code: code ?? null,
  text: errorText(code, message),
});

const toState = (data: TaskEvent): AnswerChange => ({
  type: 'state',
  status: data.status ?? '',
  logs: data.logs ?? [],
  work: {
    plan: data.context_history?.plan ?? null,
    planSource: data.context_history?.plan_source ?? null,
    council: data.context_history?.council ?? null,
    campaign: data.context_history?.campaign ?? null,
    noCouncil: noCouncilOf(data.context_history?.council_choice?.reason),
  },
  intent: data.context_history?.tool_requirement?.intent ?? null,
});

const noCouncilOf = (reason: string | undefined): DividedWork['noCouncil'] =>
  reason === 'small_model' || reason === 'off' ? reason : null;

/** Reads one response to its end. Whether the answer came to its end too. */
export async function readAnswer(
  response: Response,
  stream: AnswerStream,
  onId: (id: string) => void,
  onChange: (change: AnswerChange) => void,
): Promise<boolean> {
  if (!response.body) return false;
  const events = response.body.pipeThrough(new TextDecoderStream() as never).pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    if (value.id) onId(value.id);
    for (const change of stream.read(value.event, value.data)) {
      onChange(change);
      if (change.type === 'end') {
        void reader.cancel().catch(() => undefined);
        return true;
      }
    }
  }
}
