// The last resort: a small model picks one of a few intents, and its answer can be nothing else.
import type { LanguageModelV4 } from '@ai-sdk/provider';
import { z } from 'zod';
import type { IntentId } from '../intent.js';
import { INTENT_MEANINGS } from './meanings.js';

const LONGEST_CHARS = 600;
const MAX_TOKENS = 24;

/** Null where the model says nothing that can be used. @throws what the model throws, and when `signal` fires */
export async function askModel(
  model: LanguageModelV4,
  text: string,
  candidates: readonly IntentId[],
  signal: AbortSignal,
): Promise<IntentId | null> {
  const labels = candidates.map((intent) => `${intent}: ${INTENT_MEANINGS[intent]}`).join('\n');
  // One message: some chat templates know no system role.
  const prompt = `Which label fits what the person wants?\n${labels}\n\nThe person wrote: ${JSON.stringify(text.slice(0, LONGEST_CHARS))}\n\nAnswer with JSON such as {"intent":"${candidates[0]}"}.`;
  const { content } = await model.doGenerate({
    prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    maxOutputTokens: MAX_TOKENS,
    temperature: 0,
    providerOptions: { venom: { quick: true } },
    responseFormat: {
      type: 'json',
      name: 'intent',
      schema: {
        type: 'object',
        properties: { intent: { type: 'string', enum: [...candidates] } },
        required: ['intent'],
        additionalProperties: false,
      },
    },
    abortSignal: signal,
  });
  const answer = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return intentIn(answer, candidates);
}

const Answer = z.object({ intent: z.string() });

/** Engines without constrained output may say it in words; a label in them counts only when it is the only one. */
function intentIn(answer: string, candidates: readonly IntentId[]): IntentId | null {
  try {
    const { intent } = Answer.parse(JSON.parse(answer));
    return candidates.find((candidate) => candidate === intent) ?? null;
  } catch {
    const named = candidates.filter((candidate) => answer.includes(candidate));
    return named.length === 1 ? (named[0] ?? null) : null;
  }
}
