// What a person should be warned of in a question. Pure.
import type { ToolQuestion } from './question-ports.js';

/** In the languages of the user interface. Seen in names such as `apiKey` and `CARD_NUMBER`. */
const SECRET =
  /pass(?:word|phrase|code)|passwort|kennwort|hasł|haslo|secret|geheim|\btoken|api.?key|private.?key|access.?key|credential|zugangsdaten|\bpin\b|\btan\b|\botp\b|\bcvv?c?\b|card.?n(?:umber|r)|kartennummer|credit.?card|kreditkart|numer.?karty|\biban\b|\bpesel\b|seed.?phrase|mnemonic|social.?security|\bssn\b/iu;

const words = (text: string): string => text.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/[_-]+/g, ' ');

/** A form is no place for a secret: whoever asks for one should send the person to a page. */
export function asksSecret(question: ToolQuestion): boolean {
  if (question.kind !== 'form') return false;
  const said = [
    question.message,
    ...question.fields.flatMap(({ name, title, description }) => [name, title, description ?? '']),
  ];
  return said.some((text) => SECRET.test(words(text)));
}

/** Written with letters of other scripts, which may look like those of a well-known host. */
export const isDeceptiveHost = (host: string): boolean => host.split('.').some((part) => part.startsWith('xn--'));
