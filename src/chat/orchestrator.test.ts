// The Orchestrator on parts that do what their ports promise: what HTTP cannot bring about.
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../shared/errors.js';
import type { IntentId } from './intent.js';
import { Orchestrator, type OrchestratorParts } from './orchestrator.js';
import type { ChatTool } from './task-ports.js';
import { followUpRequest, type Task, type TaskRepository, type TaskRequest } from './tasks/task.js';
import { TaskCounters } from './tasks/task-counters.js';
import { TaskError } from './tasks/task-failure.js';
import { RequestTracer } from './tracing/request-tracer.js';
import type { FinishedTurn } from './turn-ports.js';

/** Tasks in memory; `failing` makes a disk that refuses. */
class MemoryTasks implements TaskRepository {
  readonly rows = new Map<string, Task>();
  failing = 0;
  #seq = 0;
  async insert(task: Task) {
    this.#seq += 1;
    task.seq = this.#seq;
    this.rows.set(task.id, structuredClone(task));
  }
  async markProcessing(id: string) {
    const row = this.rows.get(id);
    if (row) row.status = 'PROCESSING';
  }
  appendParts() {}
  async save(tasks: readonly Task[]) {
    if (this.failing > 0) {
      this.failing -= 1;
      throw new AppError('insufficient_storage', 'The disk is full.');
    }
    for (const task of tasks) this.rows.set(task.id, structuredClone(task));
  }
  get = (id: string) => this.rows.get(id);
  idOf = () => undefined;
  list = () => [...this.rows.values()].reverse();
  unfinished = () => [...this.rows.values()].filter(({ status }) => status === 'PENDING' || status === 'PROCESSING');
  countOfSession = () => 0;
  pictures = () => [];
  pictureBytes = () => 0;
}

const text = (delta: string): LanguageModelV4StreamPart => ({ type: 'text-delta', id: '1', delta });

function build(
  options: {
    says?: LanguageModelV4StreamPart[][];
    intent?: IntentId;
    tools?: ChatTool[];
    functionCalling?: boolean;
    parts?: Partial<OrchestratorParts>;
  } = {},
) {
  const tasks = new MemoryTasks();
  const clock = { now: () => 1_767_225_600_000 };
  const asked: { call: LanguageModelV4CallOptions; labels: readonly string[] }[] = [];
  const results: FinishedTurn[] = [];
  const says = options.says ?? [[text('Hello')]];
  const tracer = new RequestTracer({ save: () => {}, list: () => [], get: () => undefined, running: () => [] }, clock, {
    lostAfterMs: 60_000,
  });
  const facts = { provider: 'fake', model: 'm', endpoint: null, configHash: 'hash', runtimeId: 'fake@local' };
  const orchestrator = new Orchestrator(
    {
      tasks,
      sessions: {} as never,
      goals: { ofCampaign: () => [], releaseRunning: () => {} } as never,
      council: { rounds: 0, tokens: 1_000, costUsd: 1, durationMs: 1_000 },
      campaign: { goals: 8, tokens: 1_000, costUsd: 1, durationMs: 1_000 },
      tracer,
      events: { publish: () => {} },
      clock,
      counters: new TaskCounters(0),
      intents: {
        language: async () => 'en',
        classify: async () => ({
          intent: options.intent ?? 'GENERAL_CHAT',
          source: 'llm',
          language: 'en',
          score: 1,
          top2: [],
        }),
      },
      slash: {
        parse: (given) => ({ text: given, tool: null, provider: null, clear: false, unknown: [] }),
        intentOf: () => null,
      },
      answers: { answer: (intent) => ({ text: `template ${intent}` }) },
      router: {
        route: async ({ labels }) => ({
          ...facts,
          decision: { target: 'local', provider: 'fake', model: 'm', chain: [], decidedAt: 0 } as never,
          receipt: () => ({ decision: null, ranWith: null, attempts: [], masked: [], costUsd: 0 }),
          stream: async (call) => {
            asked.push({ call, labels });
            const parts = says.shift() ?? [];
            return (async function* () {
              yield parts;
            })();
          },
        }),
      },
      context: {
        build: async ({ text: question, systemPrompt }) => ({
          messages: [
            { role: 'system', content: systemPrompt },
            { role: 'user', content: question },
          ],
          recalled: [{ id: 'memory-1', text: 'x', kind: 'fact', source: 's', score: 1, labels: ['private'] }],
          lessons: [{ id: 'lesson-1', text: 'y' }],
          hiddenPrompts: 2,
          dropped: [{ part: 'history', tokens: 10 }],
          tokens: 20,
          degraded: 'lexical_only',
          labels: ['private'],
        }),
      },
      results: { enqueue: (turn) => results.push(turn) },
      toolBox: {
        toolsFor: () => options.tools ?? [],
        has: () => false,
        call: async () => {
          throw new AppError('tool_not_found', 'There is no tool.');
        },
      },
      translator: null,
      clearSession: async () => {},
      identity: async () => facts,
      active: async () => facts,
      budgetTokens: async () => 1_000,
      countTokens: (_model, given) => given.length,
      functionCalling: () => options.functionCalling ?? false,
      isSmall: async () => false,
      requireSight: async () => {},
      onAnswer: () => {},
      onFailure: () => {},
      ...options.parts,
    },
    { maxConcurrent: 2, maxQueued: 10, timeoutMs: 60_000 },
  );
  const run = async (request: Partial<TaskRequest> = {}): Promise<Task> => {
    const { id } = await orchestrator.submit({
      ...followUpRequest({ content: 'Tell me something', labels: [], owner: null }),
      ...request,
    });
    const found = orchestrator.find(id);
    if (found.kind === 'live') await found.live.done;
    return orchestrator.get(id);
  };
  return { orchestrator, tasks, tracer, asked, results, run };
}

const errorOf = (task: Task) => (task.context['llm_runtime'] as { error: Record<string, unknown> | null }).error;

describe('Orchestrator', () => {
  it('says what of memory was used, what was left out, and what was degraded', async () => {
    const { run, tracer, results } = build();
    const task = await run();
    expect(task.contextUsed).toEqual({ lessons: ['lesson-1'], memoryEntries: ['memory-1'] });
    expect(task.context).toMatchObject({
      context_dropped: [{ part: 'history', tokens: 10 }],
      context_degraded: 'lexical_only',
    });
    const steps = tracer.get(task.id)?.steps.map(({ action }) => action);
    expect(steps).toEqual(expect.arrayContaining(['hidden_prompts', 'context_preview']));
    expect(results).toMatchObject([
      { requestId: task.id, mode: 'normal', intent: 'GENERAL_CHAT', success: true, labels: ['private'], model: 'm' },
    ]);
  });

  it('tells of one task to all that come with its key while it is being stored, and only once it is', async () => {
    const { orchestrator, tasks } = build();
    const stored = Promise.withResolvers<void>();
    const insert = tasks.insert.bind(tasks);
    tasks.insert = async (task) => {
      await stored.promise;
      await insert(task);
    };
    const request = followUpRequest({ content: 'Hi', labels: [], owner: null });
    let told = 0;
    const submitted = ['one', 'one', 'other'].map(async (key) => {
      const { id } = await orchestrator.submit(request, key);
      told += 1;
      return id;
    });
    await new Promise(setImmediate);
    expect(told).toBe(0);
    stored.resolve();
    const [first, again, other] = await Promise.all(submitted);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(tasks.rows.size).toBe(2);
  });

  it('gives tools only to a model that can call them, and carries their labels to routing', async () => {
    const tool: ChatTool = {
      name: 'look',
      description: 'Looks.',
      inputSchema: { type: 'object' },
      run: async () => ({ text: 'a secret', failed: false, labels: ['sensitive'] }),
    };
    const call: LanguageModelV4StreamPart = { type: 'tool-call', toolCallId: '1', toolName: 'look', input: '{}' };
    const able = build({ tools: [tool], functionCalling: true, says: [[call], [text('I saw it.')]] });
    expect(await able.run()).toMatchObject({ status: 'COMPLETED', result: 'I saw it.' });
    expect(able.asked.map(({ labels }) => labels)).toEqual([['private'], ['private', 'sensitive']]);
    const unable = build({ tools: [tool] });
    await unable.run();
    expect(unable.asked[0]?.call.tools).toBeUndefined();
  });

  it('does not let a model without tools pretend to do what needs one', async () => {
    const tool = {
      name: 'git',
      description: 'git',
      inputSchema: {},
      run: async () => ({ text: '', failed: false, labels: [] }),
    };
    const { run, asked } = build({ intent: 'VERSION_CONTROL', tools: [tool] });
    expect(errorOf(await run())).toMatchObject({
      error_code: 'execution_contract_violation',
      stage: 'agent_precheck',
    });
    expect(asked).toHaveLength(0);
    const bare = build({ intent: 'VERSION_CONTROL' });
    expect((await bare.run()).result).toBe('template UNSUPPORTED_TASK');
    expect(bare.results, 'nothing is learned from a template').toEqual([]);
  });

  it('asks the model where the text names a tool, also for what nobody here could do otherwise', async () => {
    const toolBox = {
      has: (name: string) => name === 'tables__book',
      toolsFor: () => [],
      call: async () => {
        throw new AppError('tool_not_found', 'There is no tool.');
      },
    };
    const { run } = build({ intent: 'UNSUPPORTED_TASK', parts: { toolBox } });
    expect((await run({ content: 'Use tables__book to book a table' })).result).toBe('Hello');
    expect((await run({ content: 'Use tables__eat to book a table' })).result).toBe('template UNSUPPORTED_TASK');
  });

  it('translates where another language is preferred, and keeps the text where it cannot', async () => {
    const translator = {
      translate: async (given: string, target: string) => ({ text: `${given} in ${target}`, source: 'en' }),
    };
    const translated = await build({ parts: { translator } }).run({ preferredLanguage: 'pl' });
    expect(translated).toMatchObject({
      result: 'Hello in pl',
      context: { translation: { source: 'en', target: 'pl', applied: true } },
    });
    const broken = {
      translate: async () => {
        throw new AppError('no_model', 'none');
      },
    };
    const kept = await build({ parts: { translator: broken } }).run({ preferredLanguage: 'pl' });
    expect(kept).toMatchObject({
      status: 'COMPLETED',
      result: 'Hello',
      context: { translation: { target: 'pl', applied: false, error: 'no_model' } },
    });
  });

  it('shows no completion that a full disk did not take', async () => {
    const { run, tasks, orchestrator } = build();
    tasks.failing = 1;
    const task = await run();
    expect(task.status).toBe('FAILED');
    expect(errorOf(task)).toMatchObject({ error_code: 'insufficient_storage', retryable: true });
    expect(tasks.get(task.id)?.status).toBe('FAILED');
    // Not even the failure can be stored: the task is still there to look at, and its place is free.
    tasks.failing = 2;
    const second = await run();
    expect(second.status).toBe('FAILED');
    expect(tasks.get(second.id)?.status).toBe('PROCESSING');
    expect(orchestrator.get(second.id).status).toBe('FAILED');
    await vi.waitFor(() => expect(orchestrator.queue.active).toBe(0));
  });

  it('names an unforeseen failure by its kind alone', async () => {
    const { run } = build({
      parts: {
        intents: {
          language: async () => null,
          classify: async () => {
            throw new TypeError('secret internals');
          },
        },
      },
    });
    const task = await run();
    expect(errorOf(task)).toMatchObject({ error_code: 'agent_error', error_details: { exception: 'TypeError' } });
    expect(JSON.stringify(task)).not.toContain('secret internals');
  });

  it('says that a rule refused, and counts it', async () => {
    const counters = new TaskCounters(0);
    const { run } = build({
      parts: {
        counters,
        router: {
          route: async () => {
            throw new TaskError({ code: 'sensitive_blocked', message: 'not outside', stage: 'routing' });
          },
        },
      },
    });
    const task = await run();
    expect(task).toMatchObject({
      status: 'FAILED',
      context: { policy_blocked: true, decision: 'block', reason_code: 'sensitive_blocked' },
    });
    expect(counters).toMatchObject({ failed: 1, blocked: 1 });
  });

  it('keeps the account of a turn that failed: somebody was asked', async () => {
    const { run, tracer } = build({
      says: [[text('Half '), { type: 'error', error: new AppError('upstream_reset', 'gone') }]],
    });
    const task = await run();
    expect(task).toMatchObject({ status: 'FAILED', result: 'Half ' });
    expect(tracer.get(task.id)?.receipt).toMatchObject({ costUsd: 0 });
  });

  it('tells who really answered where another stood in, and what it cost', async () => {
    const attempt = (model: string, outcome: 'ok' | 'failed') => ({
      provider: 'fake',
      model,
      endpoint: null,
      location: 'local' as const,
      bytesSent: 1,
      bytesReceived: 1,
      outcome,
      error: null,
    });
    const { run, results } = build({
      parts: {
        router: {
          route: async ({ text: asked, context }) => ({
            ...{ provider: 'fake', model: 'm', endpoint: null, configHash: 'hash', runtimeId: 'fake@local' },
            decision: { target: 'local', provider: 'fake', model: 'm', chain: [], decidedAt: 0 } as never,
            receipt: () => ({
              decision: null,
              ranWith: null,
              attempts: [attempt('m', 'failed'), attempt('other', 'ok')],
              masked: [],
              costUsd: 0.25,
            }),
            stream: async () =>
              (async function* () {
                yield [text(`${asked} after ${context?.().length} more`)];
              })(),
          }),
        },
      },
    });
    const task = await run({ labels: ['private'] });
    expect(task.result).toMatch(/^Tell me something after \d+ more$/);
    expect(task.context).toMatchObject({
      llm_runtime: { model: 'other' },
      routing_decision: { fallback_applied: true },
    });
    expect(results[0]).toMatchObject({ model: 'other', labels: ['private'] });
  });
});
