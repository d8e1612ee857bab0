// What a reader can do about a failure, by its code: where to look next. Codes that name nothing to do are left out.
const TO = {
  discover: '/discover',
  models: '/models',
  memory: '/models',
  runtimes: '/runtimes',
  queue: '/queue',
  routing: '/routing',
  system: '/system',
  tools: '/tools',
  newChat: '/',
} as const;
export type AdvicePlace = keyof typeof TO;

const PLACES: Readonly<Record<string, AdvicePlace>> = {
  no_model: 'discover',
  model_not_found: 'models',
  invalid_model: 'models',
  ambiguous_model: 'models',
  activation_failed: 'models',
  insufficient_storage: 'models',
  insufficient_memory: 'memory',
  unsupported: 'models',
  no_endpoint: 'runtimes',
  runtime_crashed: 'runtimes',
  runtime_busy: 'runtimes',
  provider_unavailable: 'runtimes',
  upstream_unreachable: 'runtimes',
  upstream_timeout: 'runtimes',
  upstream_reset: 'runtimes',
  upstream_protocol: 'runtimes',
  upstream_truncated: 'runtimes',
  upstream_rejected: 'runtimes',
  llm_connection_error: 'runtimes',
  llm_invalid_response: 'runtimes',
  llm_http_error: 'runtimes',
  queue_full: 'queue',
  task_timeout: 'queue',
  switch_in_progress: 'models',
  budget_exceeded: 'routing',
  sensitive_blocked: 'discover',
  store_unavailable: 'system',
  session_not_found: 'newChat',
  tool_not_found: 'tools',
  tool_quarantined: 'tools',
  tool_failed: 'tools',
  tool_timeout: 'tools',
  mcp_server_not_found: 'tools',
  mcp_server_disabled: 'tools',
  mcp_start_timeout: 'tools',
  mcp_crashed: 'tools',
  mcp_authorization_required: 'tools',
};

export function adviceFor(
  code: string | null | undefined,
): { labelKey: string; to: (typeof TO)[AdvicePlace] } | undefined {
  const place = code ? PLACES[code] : undefined;
  return place && { labelKey: `advice.${place}`, to: TO[place] };
}
