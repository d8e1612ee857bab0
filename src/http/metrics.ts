// Prometheus metrics of this process.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TrafficControl, TrafficFigures } from '../runtimes/upstream-traffic.js';

interface Connection {
  bytesRead: number;
  bytesWritten: number;
}

const bytesOf = ({ bytesRead, bytesWritten }: Connection): number => bytesRead + bytesWritten;

export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #firstToken: Histogram<'provider'>;
  readonly #tokens: Counter<'provider' | 'kind'>;
  readonly #selected: Counter<'source' | 'runtime'>;

  readonly #feedback: Counter<'rating'>;
  readonly #results: Counter<'step' | 'outcome'>;

  constructor(liveTurns: () => number, traffic?: TrafficControl) {
    collectDefaultMetrics({ register: this.registry });
    const registers = [this.registry];
    this.#requests = new Counter({
      name: 'venom_http_requests_total',
      help: 'HTTP requests by route and status',
      labelNames: ['method', 'route', 'status'],
      registers,
    });
    this.#firstToken = new Histogram({
      name: 'venom_time_to_first_token_seconds',
      help: 'Time to first token of chat answers',
      labelNames: ['provider'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    });
    this.#tokens = new Counter({
      name: 'venom_tokens_total',
      help: 'Tokens by provider and kind',
      labelNames: ['provider', 'kind'],
      registers,
    });
    this.#selected = new Counter({
      name: 'venom_runtime_model_selected_total',
      help: 'Choices of engine and model by where they came from',
      labelNames: ['source', 'runtime'],
      registers,
    });
    this.#feedback = new Counter({
      name: 'venom_feedback_total',
      help: 'Feedback by rating',
      labelNames: ['rating'],
      registers,
    });
    this.#results = new Counter({
      name: 'venom_result_steps_total',
      help: 'Work after turns by step and outcome: done, failed (tried again) or given_up',
      labelNames: ['step', 'outcome'],
      registers,
    });
    new Gauge({
      name: 'venom_live_answers',
      help: 'Answers being written now',
      registers,
      collect() {
        this.set(liveTurns());
      },
    });
    const upstream = (name: string, help: string, figure: (figures: TrafficFigures) => number) =>
      new Gauge({
        name: `venom_upstream_${name}`,
        help,
        labelNames: ['endpoint'],
        registers,
        collect() {
          for (const scope of traffic?.scopes ?? []) this.set({ endpoint: scope.name }, figure(scope.figures));
        },
      });
    upstream('in_flight', 'Answers of model servers being waited for or read', ({ inFlight }) => inFlight);
    upstream('requests', 'Calls to model servers since start', ({ requests }) => requests);
    upstream('failures', 'Tries that failed since start', ({ failures }) => failures);
    upstream('retries', 'Tries that were repeated since start', ({ retries }) => retries);
    upstream('circuit_open', '1 while a model server is left alone', ({ circuit }) => (circuit === 'open' ? 1 : 0));
  }

  readonly #open = new Set<Connection>();
  #endedBytes = 0;

  /** Both ways, since the start. */
  get networkBytes(): number {
    return [...this.#open].reduce((sum, connection) => sum + bytesOf(connection), this.#endedBytes);
  }

  /** @returns what to call when it has ended */
  connection(connection: Connection): () => void {
    this.#open.add(connection);
    return () => {
      if (this.#open.delete(connection)) this.#endedBytes += bytesOf(connection);
    };
  }

  async selected(): Promise<{
    total: number;
    bySource: Record<string, number>;
    byRuntime: Record<string, number>;
  }> {
    const bySource: Record<string, number> = {};
    const byRuntime: Record<string, number> = {};
    let total = 0;
    for (const { labels, value } of (await this.#selected.get()).values) {
      const { source = 'unknown', runtime = 'unknown' } = labels;
      bySource[source] = (bySource[source] ?? 0) + value;
      byRuntime[runtime] = (byRuntime[runtime] ?? 0) + value;
      total += value;
    }
    return { total, bySource, byRuntime };
  }

  modelSelected(source: string, runtime: string): void {
    this.#selected.inc({ source, runtime });
  }

  feedback(rating: 'up' | 'down'): void {
    this.#feedback.inc({ rating });
  }

  resultStep(step: string, outcome: 'done' | 'failed' | 'given_up'): void {
    this.#results.inc({ step, outcome });
  }

  request(method: string, route: string, status: number): void {
    this.#requests.inc({ method, route, status });
  }

  answer(
    provider: string,
    usage: { timeToFirstTokenMs: number | null; promptTokens: number | null; completionTokens: number | null },
  ): void {
    if (usage.timeToFirstTokenMs !== null) this.#firstToken.observe({ provider }, usage.timeToFirstTokenMs / 1_000);
    // A server may claim anything, and a counter throws for what is no count.
    for (const [kind, tokens] of [
      ['prompt', usage.promptTokens],
      ['completion', usage.completionTokens],
    ] as const)
      if (tokens !== null && tokens >= 0 && Number.isFinite(tokens)) this.#tokens.inc({ provider, kind }, tokens);
  }
}
