// Code of an answer, with its language, colours and what can be done with it. Colours come late; the text is there at once.
import { UnstyledButton } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconCheck, IconCopy, IconDownload, IconTextWrap } from '@tabler/icons-react';
import { Fragment, type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { saveFile } from '../lib/save-file';
import { codeFileName } from './code-file-name';
import { CopyText } from './copy-text';

const MAX_COLOURED_CHARS = 30_000;
/** From here on it is worth saying how long it is. */
const LONG_LINES = 40;

interface HastNode {
  type: string;
  value?: string;
  properties?: { className?: string[] };
  children?: HastNode[];
}

export function CodeBlock({ code, language }: { code: string; language: string }) {
  const { t } = useTranslation();
  const [wrapped, setWrapped] = useLocalStorage({ key: 'venom.wrap', defaultValue: false });
  const [coloured, setColoured] = useState<{ code: string; node: ReactNode }>();
  const lines = code.split('\n').length;
  useEffect(() => {
    if (!language || code.length > MAX_COLOURED_CHARS) return;
    let current = true;
    void import('./highlighter').then(({ highlighter }) => {
      if (!current || !highlighter.registered(language)) return;
      setColoured({ code, node: toReact(highlighter.highlight(language, code) as HastNode) });
    });
    return () => {
      current = false;
    };
  }, [code, language]);
  return (
    <div className="code-block" dir="ltr">
      <div className="code-head">
        <span>
          {language || 'text'}
          {lines > LONG_LINES && ` · ${t('code.lines', { count: lines })}`}
        </span>
        <div className="code-actions">
          <UnstyledButton
            className="code-action"
            aria-pressed={wrapped}
            aria-label={t('code.wrap')}
            title={t('code.wrap')}
            onClick={() => setWrapped(!wrapped)}
          >
            <IconTextWrap size={15} aria-hidden />
          </UnstyledButton>
          <UnstyledButton
            className="code-action"
            aria-label={t('code.save')}
            title={t('code.save')}
            onClick={() => saveFile(new Blob([code], { type: 'text/plain' }), codeFileName(language))}
          >
            <IconDownload size={15} aria-hidden />
          </UnstyledButton>
          <CopyText value={code}>
            {({ copied, copy }) => (
              <UnstyledButton className="code-action" onClick={copy}>
                {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
                {copied ? t('chat.copied') : t('chat.copy')}
              </UnstyledButton>
            )}
          </CopyText>
        </div>
      </div>
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <pre tabIndex={0} data-wrapped={wrapped}>
        <code>{coloured?.code === code ? coloured.node : code}</code>
      </pre>
    </div>
  );
}

function toReact(node: HastNode, index = 0): ReactNode {
  if (node.type === 'text') return node.value;
  const children = node.children?.map(toReact);
  if (node.type === 'root') return children;
  return node.properties?.className ? (
    <span key={index} className={node.properties.className.join(' ')}>
      {children}
    </span>
  ) : (
    <Fragment key={index}>{children}</Fragment>
  );
}
