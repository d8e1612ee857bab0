// venom trace list|show: what happened to a request, step by step.
import type { CommandContext } from '../command-context.js';
import { facts, table } from '../terminal.js';

const PROMPT_CHARS = 60;
const DETAIL_CHARS = 100;

interface TraceSummary {
  request_id: string;
  prompt: string;
  status: string;
  session_id: string | null;
  created_at: string;
  duration_seconds: number | null;
  llm_provider: string | null;
  llm_model: string | null;
  error_code: string | null;
  error_message: string | null;
}

interface TraceDetail extends TraceSummary {
  steps: { component: string; action: string; timestamp: string; status: string; details: string | null }[];
  first_token: { elapsed_ms: number } | null;
  routing_decision: { reason_code: string } | null;
}

export async function listTraces(
  context: CommandContext,
  { limit, status }: { limit: string; status?: string },
): Promise<void> {
  const client = await context.server();
  const query = new URLSearchParams({ limit, ...(status === undefined ? {} : { status }) });
  const requests = await client.get<TraceSummary[]>(`/api/v1/history/requests?${query}`);
  const rows = requests.map((request) => [
    request.request_id,
    request.created_at,
    request.status,
    request.duration_seconds === null ? '' : `${request.duration_seconds.toFixed(2)} s`,
    request.llm_model ?? '',
    oneLine(request.prompt, PROMPT_CHARS),
  ]);
  context.terminal.result(
    { requests, count: requests.length },
    rows.length === 0
      ? 'Nothing was asked yet.'
      : table(['ID', 'CREATED', 'STATUS', 'TOOK', 'MODEL', 'QUESTION'], rows),
  );
}

export async function showTrace(
  context: CommandContext,
  id: string,
  { mermaid }: { mermaid?: boolean },
): Promise<void> {
  const client = await context.server();
  const name = encodeURIComponent(id);
  if (mermaid) {
    const flow = await client.get<{ mermaid_diagram: string }>(`/api/v1/flow/${name}`);
    return context.terminal.result(flow, flow.mermaid_diagram);
  }
  const trace = await client.get<TraceDetail>(`/api/v1/history/requests/${name}`);
  const startedAt = Date.parse(trace.created_at);
  const rows = trace.steps.map((step) => [
    `+${Date.parse(step.timestamp) - startedAt} ms`,
    step.status,
    `${step.component}.${step.action}`,
    oneLine(step.details ?? '', DETAIL_CHARS),
  ]);
  context.terminal.result(
    trace,
    [
      facts([
        ['request', trace.request_id],
        ['session', trace.session_id],
        ['status', trace.status],
        ['took', trace.duration_seconds === null ? null : `${trace.duration_seconds.toFixed(3)} s`],
        ['first token', trace.first_token && `${trace.first_token.elapsed_ms} ms`],
        ['model', trace.llm_model && `${trace.llm_provider}:${trace.llm_model}`],
        ['route', trace.routing_decision?.reason_code],
        ['error', trace.error_code && `${trace.error_code}: ${trace.error_message}`],
        ['question', oneLine(trace.prompt, DETAIL_CHARS)],
      ]),
      rows.length === 0 ? '' : table(['AT', '', 'STEP', 'DETAILS'], rows),
    ]
      .filter(Boolean)
      .join('\n\n'),
  );
}

const oneLine = (text: string, chars: number): string => text.replace(/\s+/g, ' ').slice(0, chars);
