// Tasks under the contract's names.
import type { Language } from '../../chat/intent.js';
import type { Task, TaskRequest } from '../../chat/tasks/task.js';
import type { TaskSubmission } from '../../contract/tasks.js';
import { isoUtc } from '../../shared/clock.js';
import { pictureOfText } from '../pictures.js';

const LANGUAGES: readonly Language[] = ['en', 'pl', 'de'];

export function toTaskRequest(body: import('zod').output<typeof TaskSubmission>): TaskRequest {
  const extra = body.extra_context;
  return {
    content: body.content,
    // `pl-PL` is Polish too; what we do not speak is left to the question's own language.
    preferredLanguage:
      LANGUAGES.find((language) => body.preferred_language?.toLowerCase().startsWith(language)) ?? null,
    sessionId: body.session_id || null,
    ...(typeof body.instructions === 'string' ? { instructions: body.instructions } : {}),
    preferenceScope: body.preference_scope || null,
    timeZone: body.time_zone || null,
    tone: body.tone || null,
    styleNotes: body.style_notes || null,
    forcedTool: body.forced_tool || null,
    forcedProvider: body.forced_provider || null,
    ...(body.model ? { model: body.model } : {}),
    forcedIntent: body.forced_intent || null,
    images: body.images?.length ?? 0,
    ...(body.images?.length ? { pictures: body.images.map(pictureOfText) } : {}),
    storeKnowledge: body.store_knowledge ?? true,
    generationParams: body.generation_params ?? null,
    expectedConfigHash: body.expected_config_hash || null,
    expectedRuntimeId: body.expected_runtime_id || null,
    extraContext: extra
      ? Object.fromEntries(Object.entries(extra).filter(([, texts]) => texts && texts.length > 0))
      : null,
  };
}

export interface RuntimeShape {
  provider?: string | null;
  model?: string | null;
  endpoint?: string | null;
  status?: string | null;
  error?: unknown;
}

export const runtimeOf = (task: Task): RuntimeShape => (task.context['llm_runtime'] as RuntimeShape | undefined) ?? {};

export const toContextUsed = (task: Task) =>
  task.contextUsed && { lessons: task.contextUsed.lessons, memory_entries: task.contextUsed.memoryEntries };

export const toVenomTask = (task: Task) => ({
  id: task.id,
  content: task.request.content,
  created_at: isoUtc(task.createdAt),
  status: task.status,
  result: task.result,
  logs: task.logs,
  context_history: task.context,
  context_used: toContextUsed(task),
});

export function toTaskResponse(task: Task) {
  const runtime = runtimeOf(task);
  return {
    task_id: task.id,
    status: task.status,
    decision: 'allow',
    llm_provider: runtime.provider || null,
    llm_model: runtime.model || null,
    llm_endpoint: runtime.endpoint ?? null,
    policy_blocked: false,
    reason_code: null,
    user_message: null,
    remediation_hint: null,
    technical_context: null,
    execution_mode: task.context['execution_mode'] ?? null,
    fallback_reason: task.context['fallback_reason'] ?? null,
  };
}
