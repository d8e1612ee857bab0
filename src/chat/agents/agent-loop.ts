// One agent at work: the model is asked, tools it calls are run, and it is asked again, until it answers or a bound is met.
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4ToolCall,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import { abortable } from '../../shared/abortable.js';
import { AppError } from '../../shared/errors.js';
import type { ChatTool, ToolResult, ToolRun } from '../task-ports.js';

const TOOL_TIMEOUT_MS = 60_000;
const MAX_CALLS_PER_STEP = 16;
const MAX_TOOL_RESULT_CHARS = 20_000;
const MAX_ANSWER_CHARS = 1_000_000;

type Parts = AsyncIterable<readonly LanguageModelV4StreamPart[]>;

export interface AgentLoopOptions {
  prompt: LanguageModelV4Prompt;
  call: Omit<LanguageModelV4CallOptions, 'prompt' | 'abortSignal' | 'tools'>;
  tools: readonly ChatTool[];
  maxSteps: number;
  signal: AbortSignal;
  sessionId: string | null;
  requestId?: string | null;
  /** Sensitivity of the prompt; tools are told of it, and of what they found since. */
  labels?: readonly string[];
  /** Asks the model; `labels` are those of tool results in the prompt, which may change where it may go. */
  ask: (options: LanguageModelV4CallOptions, labels: readonly string[]) => Promise<Parts>;
  onText?: ((delta: string) => void) | undefined;
  onActivity?: (() => void) | undefined;
  onToolCall?: ((name: string, result: ToolResult, durationMs: number) => void) | undefined;
  onWaiting?: ToolRun['onWaiting'];
}

export interface AgentAnswer {
  text: string;
  promptTokens: number | null;
  cachedPromptTokens: number | null;
  completionTokens: number | null;
  steps: number;
  labels: readonly string[];
}

/** @throws AppError of the engine, or the signal's reason; an answer without a word is `upstream_protocol` */
export async function runAgentLoop(options: AgentLoopOptions): Promise<AgentAnswer> {
  const { signal, tools, maxSteps } = options;
  const messages: LanguageModelV4Prompt = [...options.prompt];
  const labels = new Set<string>();
  const answer: AgentAnswer = {
    text: '',
    promptTokens: null,
    cachedPromptTokens: null,
    completionTokens: null,
    steps: 0,
    labels: [],
  };
  for (let step = 1; ; step += 1) {
    // The last step has no tools, so that it must be an answer.
    const offered = step < maxSteps ? tools : [];
    const parts = await abortable(
      options.ask(
        {
          ...options.call,
          prompt: messages,
          abortSignal: signal,
          ...(offered.length > 0 ? { tools: offered.map(toFunctionTool), toolChoice: { type: 'auto' as const } } : {}),
        },
        [...labels],
      ),
      signal,
    );
    const { text, calls, usage } = await readStep(parts, options, answer.text.length);
    answer.steps = step;
    answer.text += text;
    count(answer, usage);
    if (calls.length === 0 || offered.length === 0) {
      if (answer.text.trim() === '') throw new AppError('upstream_protocol', 'The model gave an empty answer.');
      answer.labels = [...labels];
      return answer;
    }
    messages.push({
      role: 'assistant',
      content: [
        ...(text ? [{ type: 'text' as const, text }] : []),
        ...calls.map((call) => ({
          type: 'tool-call' as const,
          toolCallId: call.toolCallId,
          toolName: call.toolName,
          input: parsedInput(call.input).input ?? {},
        })),
      ],
    });
    const known = [...new Set([...(options.labels ?? []), ...labels])];
    const results = await Promise.all(
      calls.map(async (call) => ({ call, result: await runTool(call, offered, known, options) })),
    );
    for (const { result } of results) for (const label of result.labels) labels.add(label);
    messages.push({
      role: 'tool',
      content: results.map(({ call, result }) => ({
        type: 'tool-result' as const,
        toolCallId: call.toolCallId,
        toolName: call.toolName,
        output: result.failed
          ? { type: 'error-text' as const, value: result.text }
          : { type: 'text' as const, value: result.text },
      })),
    });
  }
}

async function readStep(
  parts: Parts,
  { signal, onText, onActivity }: AgentLoopOptions,
  before: number,
): Promise<{ text: string; calls: LanguageModelV4ToolCall[]; usage: LanguageModelV4Usage | undefined }> {
  let text = '';
  const calls: LanguageModelV4ToolCall[] = [];
  let usage: LanguageModelV4Usage | undefined;
  const iterator = parts[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(iterator.next(), signal);
      if (next.done) break;
      onActivity?.();
      for (const part of next.value) {
        if (part.type === 'text-delta' && part.delta !== '') {
          text += part.delta;
          if (before + text.length > MAX_ANSWER_CHARS)
            throw new AppError('upstream_protocol', `The answer is longer than ${MAX_ANSWER_CHARS} characters.`);
          onText?.(part.delta);
        } else if (part.type === 'tool-call') {
          if (calls.length < MAX_CALLS_PER_STEP) calls.push(part);
        } else if (part.type === 'finish') usage = part.usage;
        else if (part.type === 'error') throw part.error;
      }
    }
  } catch (error) {
    // The engine is let go; what it still says is nobody's business.
    iterator.return?.().catch(() => {});
    throw error;
  }
  return { text, calls, usage };
}

async function runTool(
  call: LanguageModelV4ToolCall,
  tools: readonly ChatTool[],
  labels: readonly string[],
  options: AgentLoopOptions,
): Promise<ToolResult> {
  const startedAt = performance.now();
  const result = await resultOf(call, tools, labels, options);
  const bounded =
    result.text.length > MAX_TOOL_RESULT_CHARS
      ? { ...result, text: `${result.text.slice(0, MAX_TOOL_RESULT_CHARS)}\n[cut]` }
      : result;
  options.onToolCall?.(call.toolName, bounded, performance.now() - startedAt);
  return bounded;
}

async function resultOf(
  call: LanguageModelV4ToolCall,
  tools: readonly ChatTool[],
  labels: readonly string[],
  { signal, sessionId, requestId = null, onWaiting }: AgentLoopOptions,
): Promise<ToolResult> {
  const tool = tools.find(({ name }) => name === call.toolName);
  if (!tool) return failed(`There is no tool ${call.toolName.slice(0, 100)}.`);
  const { input, problem } = parsedInput(call.input);
  if (problem) return failed(problem);
  const timeoutMs = tool.timeoutMs ?? TOOL_TIMEOUT_MS;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await abortable(
      tool.run(input, { signal: bounded, sessionId, requestId, labels, ...(onWaiting ? { onWaiting } : {}) }),
      bounded,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (bounded.aborted) return failed(`${tool.name} took longer than ${timeoutMs / 1_000} seconds.`);
    return failed(error instanceof AppError ? error.message : `${tool.name} failed.`);
  }
}

const failed = (text: string): ToolResult => ({ text, failed: true, labels: [] });

function parsedInput(text: string): { input?: unknown; problem?: string } {
  if (text.trim() === '') return { input: {} };
  try {
    return { input: JSON.parse(text) };
  } catch {
    return { problem: 'The input is not valid JSON.' };
  }
}

const toFunctionTool = (tool: ChatTool) => ({
  type: 'function' as const,
  name: tool.name,
  description: tool.description,
  inputSchema: tool.inputSchema as never,
});

function count(answer: AgentAnswer, usage: LanguageModelV4Usage | undefined): void {
  const add = (sum: number | null, more: number | undefined) => (more === undefined ? sum : (sum ?? 0) + more);
  answer.promptTokens = add(answer.promptTokens, usage?.inputTokens.total);
  answer.cachedPromptTokens = add(answer.cachedPromptTokens, usage?.inputTokens.cacheRead);
  answer.completionTokens = add(answer.completionTokens, usage?.outputTokens.total);
}
