// What a server wrote to stderr, as it is written.
import { Text } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty, Failed, Loading } from '../../components/states';
import { visibleText } from '../../lib/visible-text';
import { useServerLog } from './api/get-servers';

const NEAR_THE_END_PX = 40;

export function ServerLog({ name }: { name: string }) {
  const { t } = useTranslation();
  const log = useServerLog(name);
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  const lines = log.data;
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what moves it
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  if (log.isPending) return <Loading />;
  if (log.isError) return <Failed error={log.error} onRetry={() => void log.refetch()} />;
  if (log.data.length === 0) return <Empty>{t('tools.log.empty')}</Empty>;
  return (
    <>
      <Text size="xs" className="muted" mb="xs">
        {t('tools.log.lead')}
      </Text>
      {/* A region that scrolls must be reachable by keyboard. */}
      <pre
        ref={box}
        role="log"
        className="panel tool-log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        aria-label={t('tools.log')}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          // Whoever reads further up is not pulled away.
          atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
        }}
      >
        {log.data.map(visibleText).join('\n')}
      </pre>
    </>
  );
}
