// The model as one task sees it: each question is routed, asked and counted; the first word and the cost are kept.
import type { LanguageModelV4CallOptions, LanguageModelV4Prompt } from '@ai-sdk/provider';
import type { AnswerReceipt, RoutingDecision } from '../../routing/decision.js';
import { abortable } from '../../shared/abortable.js';
import type { AgentDefinition } from '../agents/agent.js';
import { type AgentAnswer, runAgentLoop } from '../agents/agent-loop.js';
import { ledStep } from '../agents/led-tools.js';
import type { TurnUsage } from '../ports.js';
import type { ChatTool, ToolResult, ToolRun } from '../task-ports.js';
import type { ChatRouter, RoutedTarget } from '../turn-ports.js';
import type { Picture } from './task.js';

const MAX_ATTEMPTS = 100;
const CHARS_PER_TOKEN = 4;

export interface TaskModelOptions {
  router: ChatRouter;
  mode: 'normal' | 'complex';
  sessionId: string | null;
  requestId?: string | null;
  forcedProvider: string | null;
  /** Named by the person, for this answer alone. */
  model?: string | null | undefined;
  forcedTool: string | null;
  language: string | null;
  generationParams: Record<string, unknown> | null;
  functionCalling: (model: string, provider: string) => boolean | Promise<boolean>;
  /** Shown with the question. */
  pictures: readonly Picture[];
  /** Asked before pictures go to an engine; throws where its model is known not to see. */
  requireSight: (target: Pick<RoutedTarget, 'provider' | 'model'>) => Promise<void>;
  signal: AbortSignal;
  /** Each target that is asked, before it is. Throwing refuses it. */
  onTarget: (target: RoutedTarget) => void;
  onActivity: () => void;
  onFirstText: (elapsedMs: number, text: string) => void;
  onToolCall: (name: string, result: ToolResult, durationMs: number) => void;
  onWaiting?: ToolRun['onWaiting'];
  /** The receipt says who really answered, which may be another than the first choice. */
  onAnswer: (target: RoutedTarget, usage: TurnUsage, receipt: AnswerReceipt) => void;
  onFailure: (target: RoutedTarget, error: unknown) => void;
}

export interface Question {
  agent: AgentDefinition;
  messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[];
  /** Of what goes along. */
  labels?: readonly string[];
  tools?: readonly ChatTool[];
  /** The work is nothing without one of the tools. */
  mustCall?: boolean;
  /** False where only words are to be judged. */
  pictures?: boolean;
  jsonSchema?: Record<string, unknown>;
  /** Of this question, beside what ends the whole turn. */
  timeout?: AbortSignal;
  onText?: ((delta: string) => void) | undefined;
}

export class TaskModel {
  readonly #options: TaskModelOptions;
  readonly #startedAt = performance.now();
  readonly #receipts: AnswerReceipt[] = [];
  #decision: RoutingDecision | null = null;
  #lastTarget: RoutedTarget | undefined;
  #firstTextMs: number | null = null;
  #lastTextMs: number | null = null;
  #chunks = 0;
  /** Of all questions, each from its first words to its end. */
  #writingMs = 0;
  #promptTokens: number | null = null;
  #cachedTokens: number | null = null;
  #completionTokens: number | null = null;
  readonly #labels = new Set<string>();
  #tokens = 0;

  constructor(options: TaskModelOptions) {
    this.#options = options;
  }

  /** The first one. */
  get decision(): RoutingDecision | null {
    return this.#decision;
  }

  get model(): string | null {
    return this.#receipts.at(-1)?.attempts.at(-1)?.model ?? this.#lastTarget?.model ?? null;
  }

  /** Sensitivity that tools have found. */
  get labels(): readonly string[] {
    return [...this.#labels];
  }

  /** Of what was found without asking a model. */
  foundLabels(labels: readonly string[]): void {
    for (const label of labels) this.#labels.add(label);
  }

  /** Read and written by all questions so far, as far as engines count it; what they do not count is guessed by length. */
  get tokens(): number {
    return this.#tokens;
  }

  get costUsd(): number {
    return this.#receipts.reduce((sum, receipt) => sum + (receipt.costUsd ?? 0), 0);
  }

  /** Of all questions together; null where no model was asked. */
  get receipt(): AnswerReceipt | null {
    return combined(this.#receipts);
  }

  get streaming(): { chunkCount: number; firstChunkMs: number | null; lastEmitMs: number | null } {
    return {
      chunkCount: this.#chunks,
      firstChunkMs: rounded(this.#firstTextMs),
      lastEmitMs: rounded(this.#lastTextMs),
    };
  }

  /** Null where no model was asked. */
  usage(): TurnUsage | null {
    if (!this.#lastTarget) return null;
    const durationMs = performance.now() - this.#startedAt;
    const tokens = this.#completionTokens ?? this.#chunks;
    return {
      promptTokens: this.#promptTokens,
      cachedPromptTokens: this.#cachedTokens,
      completionTokens: this.#completionTokens,
      timeToFirstTokenMs: rounded(this.#firstTextMs),
      durationMs: Math.round(durationMs),
      // Of the model's own writing: steps of a plan are shown whole, long after they were begun.
      tokensPerSecond:
        this.#writingMs > 0 && tokens > 1 ? Math.round((tokens / this.#writingMs) * 100_000) / 100 : null,
    };
  }

  /** Text a person sees. A plan's JSON or a review is none, so the first words are counted here and not in `ask`. */
  shown(text: string): void {
    this.#lastTextMs = performance.now() - this.#startedAt;
    this.#chunks += 1;
    if (this.#firstTextMs !== null || text.trim() === '') return;
    this.#firstTextMs = this.#lastTextMs;
    this.#options.onFirstText(this.#firstTextMs, text);
  }

  /** @throws AppError of router and engine, or the signal's reason */
  async ask(question: Question): Promise<AgentAnswer> {
    const { agent, labels = [], tools = [], mustCall = false } = question;
    const { sessionId, requestId = null } = this.#options;
    const signal = question.timeout ? AbortSignal.any([this.#options.signal, question.timeout]) : this.#options.signal;
    const startedAt = performance.now();
    let firstMs: number | null = null;
    let target: RoutedTarget | undefined;
    let routedWith = -1;
    try {
      const answer = await runAgentLoop({
        prompt: withPictures(
          question.messages.map(toPromptMessage),
          question.pictures === false ? [] : this.#options.pictures,
        ),
        call: {
          ...(agent.temperature === undefined ? {} : { temperature: agent.temperature }),
          maxOutputTokens: agent.maxOutputTokens,
          ...(agent.takesParams ? toCallOptions(this.#options.generationParams) : {}),
          providerOptions: toVenomOptions(
            agent.takesParams ? this.#options.generationParams : null,
            sessionId,
            question.jsonSchema !== undefined,
          ),
          ...(question.jsonSchema
            ? { responseFormat: { type: 'json' as const, schema: question.jsonSchema as never } }
            : {}),
        },
        tools,
        maxSteps: agent.maxSteps,
        signal,
        sessionId,
        requestId,
        labels,
        ask: async (options, found) => {
          // A tool's result may be what must not leave the house, so the way is chosen anew.
          if (!target || found.length !== routedWith) {
            if (target) this.#receipts.push(target.receipt());
            target = await this.#route(agent, options.prompt, [...labels, ...found]);
            routedWith = found.length;
          }
          const asked = target;
          if (await this.#options.functionCalling(asked.model, asked.provider)) return asked.stream(options);
          // Leading takes a question more each time, so only to tools that the words speak of.
          const led = options.tools ? tools.filter(({ rank }) => rank !== undefined) : [];
          return ledStep((call) => asked.stream(call), options, led, mustCall);
        },
        onText: (delta) => {
          firstMs ??= performance.now() - startedAt;
          question.onText?.(delta);
        },
        onActivity: this.#options.onActivity,
        onToolCall: this.#options.onToolCall,
        onWaiting: this.#options.onWaiting,
      });
      if (firstMs !== null) this.#writingMs += performance.now() - startedAt - firstMs;
      this.#promptTokens = sum(this.#promptTokens, answer.promptTokens);
      this.#cachedTokens = sum(this.#cachedTokens, answer.cachedPromptTokens);
      this.#completionTokens = sum(this.#completionTokens, answer.completionTokens);
      for (const label of answer.labels) this.#labels.add(label);
      const read = question.messages.reduce((chars, { content }) => chars + content.length, 0);
      this.#tokens +=
        (answer.promptTokens ?? Math.ceil(read / CHARS_PER_TOKEN)) +
        (answer.completionTokens ?? Math.ceil(answer.text.length / CHARS_PER_TOKEN));
      if (target) {
        const usage: TurnUsage = {
          promptTokens: answer.promptTokens,
          cachedPromptTokens: answer.cachedPromptTokens,
          completionTokens: answer.completionTokens,
          timeToFirstTokenMs: rounded(firstMs),
          durationMs: Math.round(performance.now() - startedAt),
          tokensPerSecond: null,
        };
        this.#options.onAnswer(target, usage, target.receipt());
      }
      return answer;
    } catch (error) {
      if (target && !signal.aborted) this.#options.onFailure(target, error);
      throw error;
    } finally {
      if (target) this.#receipts.push((target as RoutedTarget).receipt());
    }
  }

  async #route(
    agent: AgentDefinition,
    prompt: LanguageModelV4Prompt,
    labels: readonly string[],
  ): Promise<RoutedTarget> {
    const { router, mode, sessionId, forcedProvider, model, forcedTool, language, signal } = this.#options;
    const question = prompt.findLastIndex(({ role }) => role === 'user');
    const images = prompt.some(hasFile);
    const target = await abortable(
      router.route({
        text: prompt
          .slice(question, question + 1)
          .map(textOf)
          .join(''),
        context: () =>
          prompt
            .filter(({ role }, index) => role === 'user' && index !== question)
            .map(textOf)
            .join('\n'),
        language,
        mode,
        taskType: agent.taskType,
        sessionId,
        forcedProvider: forcedProvider ?? undefined,
        model: model ?? undefined,
        forcedTool: forcedTool ?? undefined,
        images,
        labels,
      }),
      signal,
    );
    if (images) await abortable(this.#options.requireSight(target), signal);
    this.#options.onTarget(target);
    this.#decision ??= target.decision;
    this.#lastTarget = target;
    return target;
  }
}

const hasFile = ({ content }: LanguageModelV4Prompt[number]): boolean =>
  typeof content !== 'string' && content.some(({ type }) => type === 'file');

/** In front of the words of the last question, as vision models expect them. */
function withPictures(prompt: LanguageModelV4Prompt, pictures: readonly Picture[]): LanguageModelV4Prompt {
  const index = prompt.findLastIndex(({ role }) => role === 'user');
  const question = prompt[index];
  if (pictures.length === 0 || question?.role !== 'user') return prompt;
  const files = pictures.map(({ mediaType, base64 }) => ({
    type: 'file' as const,
    mediaType,
    data: { type: 'data' as const, data: base64 },
  }));
  return prompt.with(index, { ...question, content: [...files, ...question.content] });
}

function toPromptMessage(message: Question['messages'][number]): LanguageModelV4Prompt[number] {
  if (message.role === 'system') return { role: 'system', content: message.content };
  return { role: message.role, content: [{ type: 'text', text: message.content }] };
}

function textOf(message: LanguageModelV4Prompt[number]): string {
  if (message.role === 'system') return message.content;
  return message.content
    .map((part) => (part.type === 'text' ? part.text : part.type === 'tool-result' ? JSON.stringify(part.output) : ''))
    .join('');
}

function combined(receipts: readonly AnswerReceipt[]): AnswerReceipt | null {
  const last = receipts.at(-1);
  if (!last || receipts.length === 1) return last ?? null;
  const masked = new Map<string, number>();
  for (const { kind, count } of receipts.flatMap((receipt) => receipt.masked))
    masked.set(kind, (masked.get(kind) ?? 0) + count);
  const costs = receipts.map(({ costUsd }) => costUsd).filter((cost) => cost !== null);
  return {
    decision: receipts[0]?.decision ?? null,
    ranWith: last.ranWith,
    attempts: receipts.flatMap(({ attempts }) => attempts).slice(-MAX_ATTEMPTS),
    masked: [...masked].map(([kind, count]) => ({ kind, count })),
    costUsd: costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0),
  };
}

/** Generic names to the call's; what is not a number in reach is refused before a task exists. */
function toCallOptions(params: Record<string, unknown> | null): Partial<LanguageModelV4CallOptions> {
  const number = (name: string) => (typeof params?.[name] === 'number' ? (params[name] as number) : undefined);
  const options = {
    temperature: number('temperature'),
    maxOutputTokens: number('max_tokens'),
    topP: number('top_p'),
    topK: number('top_k'),
    seed: number('seed'),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function toVenomOptions(params: Record<string, unknown> | null, sessionId: string | null, quick: boolean) {
  const repeatPenalty = params?.['repeat_penalty'];
  return {
    venom: {
      ...(typeof repeatPenalty === 'number' ? { repeatPenalty } : {}),
      // Contexts are counted before; what an engine counts otherwise must not fail the task.
      dropOldest: true,
      ...(quick ? { quick } : {}),
      // A pool sends a conversation to the server that has it in its cache.
      ...(sessionId === null ? {} : { sessionId }),
    },
  };
}

const sum = (one: number | null, other: number | null) => (other === null ? one : (one ?? 0) + other);
const rounded = (value: number | null) => (value === null ? null : Math.round(value));
