// A text as words: folded, with code, links, paths and file names named as such, and with the ends of clauses known.
import { foldText } from '../../shared/fold-text.js';

export interface Token {
  /** Folded; empty for what has no word of its own, such as a link. */
  readonly word: string;
  readonly tag: '#code' | '#url' | '#path' | '#file' | '#version' | null;
  /** Counts up at `.`, `!`, `?`, `;` and line ends. */
  readonly sentence: number;
  /** Counts up at commas, colons and dashes as well. */
  readonly clause: number;
}

/** What is looked at of a long text: its beginning and its end, where people say what they want. */
const HEAD_CHARS = 1_600;
const TAIL_CHARS = 400;

const FILE_ENDING =
  /\.(?:py|ts|tsx|js|jsx|mjs|md|txt|json|ya?ml|csv|tsv|pdf|docx?|xlsx?|pptx?|html?|css|sh|toml|log|go|rs|java|cpp|cc|h|sql|ini|conf|cfg|env|xml|png|jpe?g|svg|zip|ipynb)$/i;
const PART = /```[\s\S]*?(?:```|$)|`[^`\n]+`|https?:\/\/\S+|[\p{L}\p{N}_./\\~:+#'’-]+|[.!?;,\n…–—()"“”„]/gu;
const SENTENCE_END = /^[.!?;\n…]+$/;
const CLAUSE_END = /^[,:()"“”„–—-]+$/;
const WORD = /[\p{L}\p{N}]+/gu;

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let sentence = 0;
  let clause = 0;
  const end = () => {
    sentence += 1;
    clause += 1;
  };
  for (const [part] of considered(text).matchAll(PART)) {
    if (SENTENCE_END.test(part)) end();
    else if (CLAUSE_END.test(part)) clause += 1;
    else if (part.startsWith('`')) tokens.push({ word: '', tag: '#code', sentence, clause });
    else if (/^https?:\/\//.test(part)) tokens.push({ word: '', tag: '#url', sentence, clause });
    else {
      const bare = part.replace(/[.:'’-]+$/, '').replace(/^['’:-]+/, '');
      const tag = tagOf(bare);
      const words = foldText(bare.replace(/['’]/g, '')).match(WORD) ?? [];
      // A file or path stands for one word, whatever it is called; anything else is cut at its signs (end-to-end, ci/cd).
      if (tag) tokens.push({ word: tag === '#file' ? (words[0] ?? '') : '', tag, sentence, clause });
      else for (const word of words) tokens.push({ word, tag: null, sentence, clause });
      if (part.endsWith('.')) end();
      else if (part.endsWith(':')) clause += 1;
    }
  }
  return tokens;
}

function considered(text: string): string {
  if (text.length <= HEAD_CHARS + TAIL_CHARS) return text;
  return `${text.slice(0, HEAD_CHARS)}\n${text.slice(-TAIL_CHARS)}`;
}

function tagOf(part: string): Token['tag'] {
  if (/^(?:\.{0,2}\/|~\/|[A-Za-z]:\\)\S/.test(part)) return '#path';
  if (/^v?\d+(?:\.\d+){1,2}(?:-[a-z0-9.]+)?$/i.test(part)) return '#version';
  return FILE_ENDING.test(part) ? '#file' : null;
}
