// GET /chat/modes: the bounds of each stage, as the agents are bounded.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { AGENTS, type AgentDefinition } from '../../chat/agents/agent.js';
import type { CouncilBounds } from '../../chat/council/council.js';
import { MAX_PLAN_STEPS } from '../../chat/planning/plan.js';
import { ChatModes } from '../../contract/chat-modes.js';

const free = (id: string, seconds: number | null = null) => ({
  id,
  max_tokens: null,
  max_steps: null,
  max_seconds: seconds,
});
const asked = (id: string, agent: AgentDefinition, steps = agent.maxSteps) => ({
  id,
  max_tokens: agent.maxOutputTokens,
  max_steps: steps,
  max_seconds: null,
});

export interface ChatModesParts {
  taskTimeoutMs: number;
  intentTimeoutMs: number;
  council: CouncilBounds;
}

export const chatModesRoutes: FastifyPluginAsyncZod<ChatModesParts> = async (
  app,
  { taskTimeoutMs, intentTimeoutMs, council },
) => {
  const whole = free('whole', taskTimeoutMs / 1_000);
  const before = [free('intent', intentTimeoutMs / 1_000), free('context')];
  app.get('/chat/modes', { schema: { response: { 200: ChatModes }, tags: ['chat'] } }, async () => ({
    modes: [
      { id: 'direct' as const, stages: [free('model')] },
      { id: 'normal' as const, stages: [...before, asked('agent', AGENTS.chat), whole] },
      {
        id: 'complex' as const,
        stages: [
          ...before,
          // Asked once, and once more where the plan is refused.
          asked('plan', AGENTS.architect, 2),
          asked('step', AGENTS.researcher),
          { ...free('steps'), max_steps: MAX_PLAN_STEPS },
          ...(council.rounds === 0
            ? []
            : [
                {
                  id: 'council',
                  max_tokens: council.tokens,
                  max_steps: council.rounds,
                  max_seconds: council.durationMs / 1_000,
                },
              ]),
          whole,
        ],
      },
    ],
  }));
};
