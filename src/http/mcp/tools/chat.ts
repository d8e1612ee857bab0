// chat: one question, in any mode, through the same doors as everybody's: SimpleMode and Orchestrator, and so through
// routing and the exit gate. Progress shows the answer as it grows; a cancelled call stops it.
import type { McpServer, ServerContext } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { Orchestrator } from '../../../chat/orchestrator.js';
import type { Followed, SimpleMode } from '../../../chat/simple-mode.js';
import { followUpRequest } from '../../../chat/tasks/task.js';
import * as contract from '../../../contract/mcp-tools.js';
import { AppError, toErrorCode } from '../../../shared/errors.js';
import { runtimeOf } from '../../routes/task-shapes.js';
import { ProgressReporter } from '../progress.js';
import { answering, type ToolCaller } from '../tool-result.js';

export interface ChatToolParts extends ToolCaller {
  simple: SimpleMode;
  orchestrator: Orchestrator;
  keepAlive: string;
}

type Question = z.output<typeof contract.ChatInput>;
type Answer = z.output<typeof contract.ChatResult>;

export function chatTool(server: McpServer, parts: ChatToolParts): void {
  server.registerTool(
    'chat',
    {
      title: 'Ask a model',
      description:
        'Asks the model that is active here, or another one. What may leave this machine is decided by its routing policy. Progress messages carry the end of the answer so far.',
      inputSchema: contract.ChatInput,
      outputSchema: contract.ChatResult,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    },
    answering(parts, (question, context) =>
      question.mode === 'direct' ? askDirectly(parts, question, context) : askAsTask(parts, question, context),
    ),
  );
}

async function askDirectly(
  { simple, keepAlive, owner }: ChatToolParts,
  { message, model, session_id, max_tokens, temperature }: Question,
  context: ServerContext,
): Promise<Answer> {
  const followed = await simple.start({
    content: message,
    owner,
    model,
    sessionId: session_id,
    resumable: false,
    generationParams: {
      ...(max_tokens === undefined ? {} : { max_tokens }),
      ...(temperature === undefined ? {} : { temperature }),
    },
    options: {
      maxOutputTokens: max_tokens,
      temperature,
      providerOptions: { venom: { ...(session_id ? { sessionId: session_id } : {}), keepAlive } },
    },
  });
  const { signal } = context.mcpReq;
  const cancel = () => void (followed.kind === 'live' && followed.turn.cancel());
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const progress = new ProgressReporter(context);
  try {
    const { requestId, text, status, error } = await ended(followed, (soFar) =>
      progress.report({ done: soFar.length, message: soFar }),
    );
    await progress.end();
    if (error && status !== 'complete') throw failureOf(error);
    const used = followed.kind === 'live' ? (followed.turn.ranWith?.model ?? model ?? null) : followed.answer.model;
    return { answer: text, status, mode: 'direct', request_id: requestId, session_id: session_id ?? null, model: used };
  } finally {
    signal.removeEventListener('abort', cancel);
    await progress.end();
  }
}

interface EndedAnswer {
  requestId: string;
  text: string;
  status: Answer['status'];
  error: { code: string; message: string } | null;
}

function ended(followed: Followed, onText: (text: string) => void): Promise<EndedAnswer> {
  if (followed.kind === 'stored') {
    const { requestId, content, status, error } = followed.answer;
    return Promise.resolve({
      requestId,
      text: content,
      status: status === 'streaming' ? 'interrupted' : status,
      error,
    });
  }
  const { turn } = followed;
  return new Promise((resolve) => {
    const look = () => {
      if (!turn.outcome) return onText(turn.text);
      const { status, failure } = turn.outcome;
      resolve({ requestId: turn.requestId, text: turn.text, status, error: failure });
    };
    turn.listen(look);
    look();
  });
}

async function askAsTask(
  { orchestrator, owner }: ChatToolParts,
  { message, mode, session_id, max_tokens, temperature, model }: Question,
  context: ServerContext,
): Promise<Answer> {
  if (model !== undefined) throw new AppError('invalid_input', 'Only direct mode takes a model.');
  const params = {
    ...(max_tokens === undefined ? {} : { max_tokens }),
    ...(temperature === undefined ? {} : { temperature }),
  };
  const { id } = await orchestrator.submit({
    ...followUpRequest({ content: message, labels: [], owner }),
    sessionId: session_id ?? null,
    forcedIntent: mode === 'complex' ? 'COMPLEX_PLANNING' : null,
    generationParams: Object.keys(params).length > 0 ? params : null,
  });
  const found = orchestrator.find(id);
  const progress = new ProgressReporter(context);
  if (found.kind === 'live') {
    const { live } = found;
    const { signal } = context.mcpReq;
    const cancel = () => live.stop('cancelled');
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    let steps = 0;
    const leave = live.listen(() => {
      steps += 1;
      progress.report({ done: steps, message: live.task.result ?? live.task.logs.at(-1) });
    });
    try {
      await live.done;
    } finally {
      leave();
      signal.removeEventListener('abort', cancel);
      await progress.end();
    }
  }
  const task = orchestrator.get(id);
  const runtime = runtimeOf(task);
  if (task.status !== 'COMPLETED') {
    const { error_code, error_message } = (runtime.error ?? {}) as { error_code?: string; error_message?: string };
    throw failureOf({ code: error_code ?? 'internal', message: error_message ?? 'The task failed.' }, id);
  }
  return {
    answer: task.result ?? '',
    status: 'complete',
    mode: mode === 'complex' ? 'complex' : 'normal',
    request_id: id,
    session_id: task.request.sessionId,
    model: runtime.model ?? null,
  };
}

/** Streams and tasks have codes of their own, which clients of the HTTP API know; they stay visible. */
function failureOf({ code, message }: { code: string; message: string }, taskId?: string): AppError {
  const known = toErrorCode(code);
  return new AppError(known ?? 'upstream_rejected', known ? message : `${code}: ${message}`, {
    details: { reason: code, ...(taskId ? { request_id: taskId } : {}) },
  });
}
