// Intents by whole phrases, until a recognizer that understands more takes its place.
import type { IntentDecision, IntentId, IntentRecognizer, Language } from '../intent.js';

const PHRASES: readonly (readonly [IntentId, Language, readonly string[]])[] = [
  ['HELP_REQUEST', 'en', ['help', 'what can you do']],
  ['HELP_REQUEST', 'pl', ['pomoc', 'co potrafisz']],
  ['HELP_REQUEST', 'de', ['hilfe', 'was kannst du']],
  ['TIME_REQUEST', 'en', ['what time is it', 'what is the time']],
  ['TIME_REQUEST', 'pl', ['która godzina', 'która jest godzina']],
  ['TIME_REQUEST', 'de', ['wie spät ist es', 'wie viel uhr ist es']],
  ['INFRA_STATUS', 'en', ['system status', 'status of services']],
  ['INFRA_STATUS', 'pl', ['status systemu', 'status usług']],
  ['INFRA_STATUS', 'de', ['systemstatus', 'status der dienste']],
];

export class WordIntents implements IntentRecognizer {
  async classify(text: string): Promise<IntentDecision> {
    const folded = text
      .toLowerCase()
      .replace(/[?!.\s]+/g, ' ')
      .trim();
    for (const [intent, language, phrases] of PHRASES) {
      if (phrases.includes(folded))
        return { intent, source: 'lexicon', language, score: 1, top2: [{ intent, score: 1 }] };
    }
    const intent = 'GENERAL_CHAT';
    return { intent, source: 'fallback', language: null, score: 0, top2: [{ intent, score: 0 }] };
  }
}
