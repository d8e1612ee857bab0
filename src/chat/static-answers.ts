// The fast path's templates, filled with what this server knows at the moment without asking anybody.
import type { Clock } from '../shared/clock.js';
import { type AdvancedMode, type AgentId, fastPathAnswer, unsupportedAnswer } from './fast-path.js';
import type { IntentId } from './intent.js';
import type { ServiceMonitor } from './services/service-monitor.js';
import type { StaticAnswer, StaticAnswers, StaticQuestion } from './task-ports.js';

export interface TemplateAnswersParts {
  services: ServiceMonitor;
  clock: Clock;
  agents: readonly AgentId[];
  modes: readonly AdvancedMode[];
  /** From memory, as a page would show it. */
  activeModel: () => string | null;
  cloud: () => readonly string[];
}

export class TemplateAnswers implements StaticAnswers {
  readonly #parts: TemplateAnswersParts;

  constructor(parts: TemplateAnswersParts) {
    this.#parts = parts;
  }

  answer(intent: IntentId, { text, wanted, language, timeZone }: StaticQuestion): StaticAnswer {
    const { services, clock, agents, modes, activeModel, cloud } = this.#parts;
    const reports = services.snapshot();
    const checkedAt = reports.map((report) => (report.checkedAt === null ? 0 : Date.parse(report.checkedAt)));
    const collected = checkedAt.some((at) => at > 0);
    const facts = {
      now: clock.now(),
      timeZone,
      services: collected
        ? reports.map(({ name, state, critical, latencyMs, error }) => ({
            name,
            status: state,
            critical,
            latencyMs,
            error,
          }))
        : null,
      servicesAt: collected ? Math.max(...checkedAt) : null,
      agents,
      modes,
      plugins: [],
      activeModel: activeModel(),
      cloud: cloud(),
      hasMemory: true,
    };
    if (intent === 'UNSUPPORTED_TASK' && wanted !== intent)
      return { text: unsupportedAnswer(facts, language ?? 'en', true) };
    const answer = fastPathAnswer(intent, text, facts, language) ?? '';
    return { text: answer, ...(intent === 'HELP_REQUEST' ? { widget: answer } : {}) };
  }
}
