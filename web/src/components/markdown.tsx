// An answer as safe markdown while it is still being written. No HTML of a model is ever rendered.
import { Anchor } from '@mantine/core';
import { isValidElement, memo, type ReactElement, type ReactNode } from 'react';
import { Streamdown } from 'streamdown';
import { CodeBlock } from './code-block';
import { hasFormula, markFormulas } from './math-marks';
import { useMath } from './use-math';

const components = {
  pre: ({ children }: { children?: ReactNode }) => {
    if (!isValidElement(children)) return <pre>{children}</pre>;
    const { className = '', children: code } = (children as ReactElement<{ className?: string; children?: ReactNode }>)
      .props;
    return (
      <CodeBlock
        code={String(code ?? '').replace(/\n$/, '')}
        language={/language-([\w+#-]+)/.exec(className)?.[1] ?? ''}
      />
    );
  },
  code: ({ children, className }: { children?: ReactNode; className?: string }) => (
    <code className={className}>{children}</code>
  ),
  // The library's own is a span that only its style sheet makes bold.
  strong: ({ children }: { children?: ReactNode }) => <strong>{children}</strong>,
  a: ({ href, children }: { href?: string; children?: ReactNode }) =>
    href && /^(https?:|mailto:)/i.test(href) ? (
      <Anchor href={href} target="_blank" rel="noreferrer noopener" underline="always">
        {children}
      </Anchor>
    ) : (
      <span>{children}</span>
    ),
  // Wider than the page it scrolls by itself, reached by keyboard too.
  table: ({ children }: { children?: ReactNode }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <div className="table-scroll" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  // Below the page's own h1, without a level left out: what begins with ### would skip one.
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6].map((level) => [
      `h${level}`,
      ({ children }: { children?: ReactNode }) => (level <= 3 ? <h2>{children}</h2> : <h3>{children}</h3>),
    ]),
  ),
  // A picture's address would tell its host that and when an answer was read.
  img: ({ alt }: { alt?: string }) => <em>{alt}</em>,
};

export const Markdown = memo(function Markdown({ text, streaming }: { text: string; streaming: boolean }) {
  const marked = markFormulas(text);
  const math = useMath(hasFormula(marked));
  return (
    <div className="prose" dir="auto">
      <Streamdown
        mode={streaming ? 'streaming' : 'static'}
        parseIncompleteMarkdown={streaming}
        components={components as never}
        {...(math ? { plugins: { math } } : {})}
        skipHtml
      >
        {marked}
      </Streamdown>
    </div>
  );
});
