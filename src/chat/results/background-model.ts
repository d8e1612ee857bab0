// Asks the model for work nobody waits for, over the same routing as a turn: what is labelled stays in the house.
import { AppError } from '../../shared/errors.js';
import type { ChatTarget, RouteRequest } from '../turn-ports.js';
import type { BackgroundModel } from './ports.js';

const ANSWER_CHARS = 20_000;

export class RoutedBackgroundModel implements BackgroundModel {
  readonly #route: (request: RouteRequest) => Promise<ChatTarget>;

  constructor(route: (request: RouteRequest) => Promise<ChatTarget>) {
    this.#route = route;
  }

  async complete(request: Parameters<BackgroundModel['complete']>[0]): Promise<{ text: string; model: string }> {
    const target = await this.#route({
      text: request.prompt,
      mode: 'background',
      taskType: request.onlyLocal ? 'SENSITIVE' : 'ANALYSIS',
      sessionId: request.sessionId,
      // Whose words they are is not to be told any more; a person's were weighed when they came, and left a label.
      retold: true,
      labels: request.labels,
    });
    const parts = await target.stream({
      prompt: [
        { role: 'system', content: request.system },
        { role: 'user', content: [{ type: 'text', text: request.prompt }] },
      ],
      maxOutputTokens: request.maxTokens,
      temperature: request.temperature,
      providerOptions: { venom: { quick: true } },
      abortSignal: request.signal,
    });
    let text = '';
    for await (const batch of parts) {
      for (const part of batch) {
        if (part.type === 'text-delta') text += part.delta;
        else if (part.type === 'error') throw part.error;
      }
      if (request.signal.aborted) throw new AppError('cancelled', 'The work was stopped.');
      if (text.length > ANSWER_CHARS) break;
    }
    return { text, model: target.model };
  }
}
