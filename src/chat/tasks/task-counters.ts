// Counts since the process started, for the contract's metrics: tasks, routes, tokens, first words, kinds of execution.
import type { TurnUsage } from '../ports.js';
import type { ExecutionMode } from './execution-mode.js';

const MAX_NAMES = 500;

export class TaskCounters {
  readonly startedAt: number;
  created = 0;
  completed = 0;
  failed = 0;
  aborted = 0;
  llmOnly = 0;
  toolRequired = 0;
  learningLogged = 0;
  blocked = 0;
  /** Tasks in which something was asked once more: a draft, a plan or one of its steps, or all of it after a crash. */
  repeated = 0;
  modelMismatches = 0;
  readonly feedback = { up: 0, down: 0 };
  firstTokenSamples = 0;
  firstTokenSumMs = 0;
  readonly blockReasons = new Map<string, number>();
  /** Of blocks that somebody called a mistake, by taking the labels off their session. */
  readonly mistakenReasons = new Map<string, number>();
  /** By session, the newest last. */
  readonly #blocksOf = new Map<string, string[]>();
  readonly toolUsage = new Map<string, number>();
  readonly agentUsage = new Map<string, number>();
  readonly executionModes = new Map<ExecutionMode, number>();
  readonly tokensByModel = new Map<string, { input: number; output: number; costUsd: number }>();

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  /** Percent of all that were accepted: one that still runs has not succeeded yet. */
  get successRate(): number {
    return this.created === 0 ? 0 : Math.round(Math.min(1, this.completed / this.created) * 10_000) / 100;
  }

  get mistaken(): number {
    return [...this.mistakenReasons.values()].reduce((sum, count) => sum + count, 0);
  }

  block(reason: string, sessionId: string | null): void {
    this.blocked += 1;
    this.count(this.blockReasons, reason);
    if (sessionId === null) return;
    const former = this.#blocksOf.get(sessionId) ?? [];
    this.#blocksOf.delete(sessionId);
    this.#blocksOf.set(sessionId, [...former, reason].slice(-MAX_NAMES));
    const [oldest] = this.#blocksOf.keys();
    if (this.#blocksOf.size > MAX_NAMES && oldest !== undefined) this.#blocksOf.delete(oldest);
  }

  /** Somebody has said that what was found in a session is nothing to be kept back. */
  released(sessionId: string): void {
    for (const reason of this.#blocksOf.get(sessionId) ?? []) this.count(this.mistakenReasons, reason);
    this.#blocksOf.delete(sessionId);
  }

  get totalTokens(): number {
    let total = 0;
    for (const { input, output } of this.tokensByModel.values()) total += input + output;
    return total;
  }

  answer(model: string, usage: TurnUsage, costUsd: number | null): void {
    if (usage.timeToFirstTokenMs !== null) {
      this.firstTokenSamples += 1;
      this.firstTokenSumMs += usage.timeToFirstTokenMs;
    }
    const known = this.tokensByModel.get(model);
    if (!known && this.tokensByModel.size >= MAX_NAMES) return;
    const counted = known ?? { input: 0, output: 0, costUsd: 0 };
    counted.input += usage.promptTokens ?? 0;
    counted.output += usage.completionTokens ?? 0;
    counted.costUsd += costUsd ?? 0;
    this.tokensByModel.set(model, counted);
  }

  count<K>(counts: Map<K, number>, key: K): void {
    const known = counts.get(key);
    if (known === undefined && counts.size >= MAX_NAMES) return;
    counts.set(key, (known ?? 0) + 1);
  }
}
