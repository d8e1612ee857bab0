// Whether a short text asks about the assistant itself, however it is worded: it names it, names an ability, and says nothing
// else. One word of any other matter ("features of a bicycle") and it is a question about that. Pure.
import type { Lexicon } from './lexicon.js';
import type { Token } from './tokens.js';

const MOST_WORDS = 12;

export function asksAboutAssistant({ self, polite }: Lexicon, tokens: readonly Token[]): boolean {
  if (tokens.length > MOST_WORDS) return false;
  let named = false;
  let ability = false;
  for (const [at, { word }] of tokens.entries()) {
    if (self.names.has(word) || (self.things.has(word) && self.these.has(tokens[at - 1]?.word ?? ''))) named = true;
    else if (self.abilities.has(word)) ability = true;
    else if (!self.frame.has(word) && !polite.has(word)) return false;
  }
  return named && ability;
}
