// Formulas drawn by KaTeX, with its style and fonts; fetched with the first formula.
import { createMathPlugin } from '@streamdown/math';
import 'katex/dist/katex.min.css';

/** A formula that is wrong, or still being written, is shown as it was typed. */
export const math = createMathPlugin({ errorColor: 'var(--venom-muted)' });
