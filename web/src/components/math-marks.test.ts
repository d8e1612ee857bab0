import { describe, expect, it } from 'vitest';
import { hasFormula, markFormulas } from './math-marks';

describe('markFormulas', () => {
  it.each([
    ['where $a x^2 + b = 0$ holds', 'where $$a x^2 + b = 0$$ holds'],
    ['the number $n$ of them', 'the number $$n$$ of them'],
    ['with \\(x_1\\) and \\( y \\)', 'with $$x_1$$ and $$y$$'],
    ['so\n\\[ E = mc^2 \\]\nis', 'so\n\n$$\nE = mc^2\n$$\n\nis'],
    ['$f(x)$ and $$g(x)$$', '$$f(x)$$ and $$g(x)$$'],
  ])('marks %j', (text, marked) => {
    expect(markFormulas(text)).toBe(marked);
    expect(hasFormula(marked)).toBe(true);
  });

  it.each([
    'It costs $5 and later $10.',
    'between $1,000 and $2,000 a month',
    'US$5 = 20 zł, so $4',
    'Run `echo $HOME and $PATH` now',
    '```sh\necho $a_b $c\n\\[ x \\]\n```',
    '```sh\nstill being written $a_b $c',
    'a line\\\\ and no more',
  ])('leaves %j as it is', (text) => {
    expect(markFormulas(text)).toBe(text);
    expect(hasFormula(text)).toBe(false);
  });

  it('takes text of many dollars in a time that grows with it only', () => {
    expect(markFormulas('$a '.repeat(50_000)).length).toBeGreaterThan(100_000);
  });
});
