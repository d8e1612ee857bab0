// Every question goes to the active model of this machine, until routing decides.
import type { Clock } from '../../shared/clock.js';
import type { ChatTarget } from '../simple-mode.js';
import type { ChatRouter, RoutedTarget, RouteRequest } from '../turn-ports.js';

export class ActiveModelRouter implements ChatRouter {
  readonly #target: (model: string | undefined) => Promise<ChatTarget>;
  readonly #clock: Clock;

  constructor(target: (model: string | undefined) => Promise<ChatTarget>, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  async route({ model }: RouteRequest): Promise<RoutedTarget> {
    const startedAt = performance.now();
    const target = await this.#target(model);
    const { provider, endpoint } = target;
    const decision = {
      target: 'local' as const,
      provider,
      model: target.model,
      endpoint,
      reasonCode: 'default_eco_mode',
      reason: 'The active model of this machine answers.',
      complexity: 0,
      sensitive: false,
      findings: [],
      chain: [{ target: 'local' as const, provider, model: target.model, endpoint }],
      paid: false,
      tier: 'local' as const,
      estimatedCostUsd: 0,
      budgetRemainingUsd: null,
      policyGatePassed: true,
      decidedAt: this.#clock.now(),
      latencyMs: Math.round(performance.now() - startedAt),
    };
    return {
      ...target,
      decision,
      receipt: () => ({ decision, ranWith: null, attempts: [], masked: [], costUsd: 0 }),
    };
  }
}
