// Where an answer holds formulas. Models mark them in four ways; here each becomes the one the renderer knows, `$$`. Money
// and shell variables are no formulas, and code is left alone.

/** Fences and inline code, which are passed over; a fence that is still being written runs to the end. */
const CODE = /(^|\n)[ \t]*(`{3,}|~{3,})[\s\S]*?(?:\n[ \t]*\2[^\n]*|$)|(`+)(?!`)[\s\S]*?[^`]\3(?!`)/g;
const BLOCK = /\\\[([\s\S]+?)\\\]/g;
const INLINE = /\\\(([^\n]+?)\\\)/g;
/** As Pandoc has it: no blank inside the dollars, no digit behind them. */
const DOLLARS = /(?<![\\$\w])\$(?![\s$])([^$\n]+?)(?<![\s\\])\$(?![\d$\w])/g;
/** What a formula has and a price has not. */
const FORMULA = /[\\^_=<>+*/|]|^\s*-?\s*[A-Za-z]\s*(?:$|[(,'!-])|[A-Za-z]\s*[-(]\s*[\dA-Za-z]/;

export function markFormulas(text: string): string {
  if (!/[$\\]/.test(text)) return text;
  let marked = '';
  let from = 0;
  for (const code of text.matchAll(CODE)) {
    marked += markProse(text.slice(from, code.index)) + code[0];
    from = code.index + code[0].length;
  }
  return marked + markProse(text.slice(from));
}

const markProse = (text: string): string =>
  text
    .replace(BLOCK, (_, formula: string) => `\n$$\n${formula.trim()}\n$$\n`)
    .replace(INLINE, (_, formula: string) => `$$${formula.trim()}$$`)
    .replace(DOLLARS, (whole, formula: string) => (FORMULA.test(formula) ? `$$${formula}$$` : whole));

export const hasFormula = (marked: string): boolean => marked.includes('$$');
