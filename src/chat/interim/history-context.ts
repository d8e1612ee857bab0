// The conversation so far as far as it fits, until a builder with memory, summary and lessons takes its place.
import type { SessionStore } from '../sessions/session-store.js';
import type { BuiltContext, ContextBuilder, ContextRequest } from '../turn-ports.js';

const HISTORY_ENTRIES = 40;

export class HistoryContext implements ContextBuilder {
  readonly #sessions: SessionStore;

  constructor(sessions: SessionStore) {
    this.#sessions = sessions;
  }

  async build(request: ContextRequest): Promise<BuiltContext> {
    const { sessionId, text, systemPrompt, preferences, extra } = request;
    const wishes = Object.entries(preferences).map(([name, value]) => `${name}: ${value}`);
    const system = [systemPrompt, wishes.length > 0 ? `The person prefers: ${wishes.join('; ')}.` : '']
      .filter(Boolean)
      .join('\n');
    const added = Object.entries(extra)
      .filter(([, texts]) => texts && texts.length > 0)
      .map(([name, texts]) => `[${name}]\n${texts?.join('\n')}`);
    const question = [text, ...added].join('\n\n');
    let left = request.budgetTokens - (await request.countTokens(system + question));
    let droppedTokens = 0;
    const history: BuiltContext['messages'] = [];
    const earlier =
      sessionId !== null && request.withHistory
        ? this.#sessions
            .messages(sessionId, { limit: HISTORY_ENTRIES })
            .filter(({ requestId, content }) => requestId !== request.requestId && content !== '')
        : [];
    for (const { role, content } of earlier.reverse()) {
      const cost = await request.countTokens(content);
      if (cost > left) {
        droppedTokens += cost;
        left = 0;
      } else {
        left -= cost;
        history.unshift({ role, content });
      }
    }
    // A conversation that starts with an answer confuses chat templates.
    while (history[0]?.role === 'assistant') history.shift();
    return {
      messages: [
        ...(system ? [{ role: 'system' as const, content: system }] : []),
        ...history,
        { role: 'user', content: question },
      ],
      recalled: [],
      lessons: [],
      hiddenPrompts: 0,
      dropped: droppedTokens > 0 ? [{ part: 'history', tokens: droppedTokens }] : [],
      tokens: request.budgetTokens - left,
      degraded: null,
      labels: [],
    };
  }
}
