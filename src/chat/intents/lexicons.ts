// The three lexicons, compiled once, when the first text is read.
import type { Language } from '../intent.js';
import { compileLexicon, type Lexicon } from './lexicon.js';
import de from './lexicons/de.json' with { type: 'json' };
import en from './lexicons/en.json' with { type: 'json' };
import pl from './lexicons/pl.json' with { type: 'json' };

let compiled: readonly Lexicon[] | undefined;

export function lexicons(): readonly Lexicon[] {
  compiled ??= [en, pl, de].map((file) => compileLexicon({ ...file, language: file.language as Language }));
  return compiled;
}
