// A finished request as spans under the GenAI names of OpenTelemetry: the request, what routed it, its context, each engine
// that was asked, each tool. Pure. Texts are in it only where `withContent` says so.
import type { RequestTrace, TraceStep, TurnUsage } from '../chat/ports.js';
import type { AnswerReceipt } from '../routing/decision.js';

export interface SpanRecord {
  name: string;
  kind: 'server' | 'client' | 'internal';
  /** Milliseconds since the epoch. */
  startMs: number;
  endMs: number;
  /** A code, never a text; null where it went well. */
  error: string | null;
  attributes: Record<string, string | number | boolean | string[]>;
  events: { name: string; atMs: number; attributes: Record<string, string> }[];
}

export interface FinishedRequest {
  trace: RequestTrace;
  receipt: AnswerReceipt | null;
  usage: TurnUsage | null;
  answer: string | null;
}

const MAX_ATTEMPTS = 50;
const MAX_EVENTS = 128;
const MAX_CONTENT_CHARS = 4_000;
const CONTEXT_ACTION = 'context_preview';
const TOOL = 'Tool';

const PROVIDERS: Readonly<Record<string, string>> = { google: 'gcp.gemini' };

const PARAMETERS: Readonly<Record<string, string>> = {
  temperature: 'gen_ai.request.temperature',
  top_p: 'gen_ai.request.top_p',
  top_k: 'gen_ai.request.top_k',
  max_tokens: 'gen_ai.request.max_tokens',
  frequency_penalty: 'gen_ai.request.frequency_penalty',
  presence_penalty: 'gen_ai.request.presence_penalty',
  seed: 'gen_ai.request.seed',
};

/** The request itself first; the others are its children. */
export function traceSpans(request: FinishedRequest, { withContent }: { withContent: boolean }): SpanRecord[] {
  const { trace, receipt, usage } = request;
  // Direct chat is routed before there is a trace.
  const decision = receipt?.decision;
  const routedAt = decision ? decision.decidedAt - decision.latencyMs : Number.POSITIVE_INFINITY;
  const startMs = Math.min(Date.parse(trace.createdAt), routedAt);
  const endMs = Math.max(startMs, trace.finishedAt === null ? trace.lastActivityAt : Date.parse(trace.finishedAt));
  const attempts = attemptSpans(request, startMs, endMs);
  const answered = attempts.filter(({ error, attributes }) => error === null && attributes['venom.outcome'] === 'ok');
  const root: SpanRecord = {
    name: 'venom.request',
    kind: 'server',
    startMs,
    endMs,
    error: trace.status === 'COMPLETED' ? null : (trace.error?.code ?? trace.status.toLowerCase()),
    attributes: defined({
      'venom.request.id': trace.requestId,
      'venom.request.status': trace.status,
      'gen_ai.conversation.id': trace.sessionId,
      'venom.first_token_ms': trace.firstToken?.elapsedMs,
      'venom.cost_usd': receipt?.costUsd,
    }),
    // What a step holds may be what somebody wrote, so only its name leaves.
    events: trace.steps.slice(0, MAX_EVENTS).map((step) => ({
      name: `${step.component}.${step.action}`,
      atMs: Date.parse(step.timestamp),
      attributes: { 'venom.step.status': step.status },
    })),
  };
  // Where several answers make up the turn, what they took together is the turn's.
  Object.assign((answered.length === 1 ? answered[0] : root)?.attributes ?? {}, usageOf(usage));
  if (withContent) Object.assign(root.attributes, contentOf(request));
  return [root, ...routingSpan(receipt), ...contextSpan(trace.steps, startMs), ...attempts, ...toolSpans(trace.steps)];
}

function routingSpan(receipt: AnswerReceipt | null): SpanRecord[] {
  const decision = receipt?.decision;
  if (!decision) return [];
  return [
    {
      name: 'venom.routing',
      kind: 'internal',
      startMs: decision.decidedAt - decision.latencyMs,
      endMs: decision.decidedAt,
      error: null,
      attributes: defined({
        'gen_ai.provider.name': providerName(decision.provider),
        'gen_ai.request.model': decision.model,
        'venom.routing.target': decision.target,
        'venom.routing.reason_code': decision.reasonCode,
        'venom.routing.complexity': decision.complexity,
        'venom.routing.sensitive': decision.sensitive,
        'venom.routing.estimated_cost_usd': decision.estimatedCostUsd,
      }),
      events: [],
    },
  ];
}

/** From the step before it until it was built. */
function contextSpan(steps: readonly TraceStep[], startMs: number): SpanRecord[] {
  const index = steps.findIndex(({ action }) => action === CONTEXT_ACTION);
  const step = steps[index];
  if (!step) return [];
  const before = steps[index - 1];
  return [
    {
      name: 'venom.context',
      kind: 'internal',
      startMs: before ? Date.parse(before.timestamp) : startMs,
      endMs: Date.parse(step.timestamp),
      error: step.status === 'ok' ? null : step.status,
      attributes: {},
      events: [],
    },
  ];
}

function attemptSpans({ trace, receipt }: FinishedRequest, startMs: number, endMs: number): SpanRecord[] {
  return (receipt?.attempts ?? []).slice(0, MAX_ATTEMPTS).map((attempt) => ({
    name: `chat ${attempt.model}`,
    kind: 'client' as const,
    startMs: attempt.startedAt ?? startMs,
    endMs: attempt.endedAt ?? endMs,
    error: attempt.error ?? (attempt.outcome === 'failed' ? 'failed' : null),
    attributes: defined({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': providerName(attempt.provider),
      'gen_ai.request.model': attempt.model,
      'gen_ai.conversation.id': trace.sessionId,
      ...addressOf(attempt.endpoint),
      ...parametersOf(trace.generationParams),
      'venom.location': attempt.location,
      'venom.bytes_sent': attempt.bytesSent,
      'venom.bytes_received': attempt.bytesReceived,
      'venom.outcome': attempt.outcome,
    }),
    events: [],
  }));
}

function toolSpans(steps: readonly TraceStep[]): SpanRecord[] {
  return steps
    .filter(({ component }) => component === TOOL)
    .map((step) => {
      const endMs = Date.parse(step.timestamp);
      return {
        name: `execute_tool ${step.action}`,
        kind: 'internal' as const,
        startMs: endMs - durationOf(step.details),
        endMs,
        error: step.status === 'ok' ? null : 'tool_failed',
        attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': step.action },
        events: [],
      };
    });
}

const usageOf = (usage: TurnUsage | null) =>
  defined({
    'gen_ai.usage.input_tokens': usage?.promptTokens,
    'gen_ai.usage.output_tokens': usage?.completionTokens,
    'gen_ai.usage.cache_read.input_tokens': usage?.cachedPromptTokens,
  });

function contentOf({ trace, answer }: FinishedRequest): Record<string, string> {
  const message = (role: string, content: string) =>
    JSON.stringify([{ role, parts: [{ type: 'text', content: content.slice(0, MAX_CONTENT_CHARS) }] }]);
  return {
    'gen_ai.input.messages': message('user', trace.prompt),
    ...(answer === null ? {} : { 'gen_ai.output.messages': message('assistant', answer) }),
  };
}

const providerName = (provider: string): string => PROVIDERS[provider] ?? provider;

function addressOf(endpoint: string | null): Record<string, string | number> {
  if (endpoint === null || !URL.canParse(endpoint)) return {};
  const { hostname, port, protocol } = new URL(endpoint);
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
}

function parametersOf(params: Record<string, unknown> | null): Record<string, number> {
  const known: Record<string, number> = {};
  for (const [name, attribute] of Object.entries(PARAMETERS)) {
    const value = params?.[name];
    if (typeof value === 'number') known[attribute] = value;
  }
  return known;
}

function durationOf(details: string | null): number {
  try {
    const { duration_ms } = JSON.parse(details ?? '{}') as { duration_ms?: unknown };
    return typeof duration_ms === 'number' ? duration_ms : 0;
  } catch {
    return 0;
  }
}

function defined(
  values: Record<string, string | number | boolean | null | undefined>,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string | number | boolean] => entry[1] != null),
  );
}
