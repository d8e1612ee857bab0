// What is written about models: the hub's blog, and papers.
import { Alert, Anchor, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconExternalLink } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Empty, Failed, Loading } from '../../components/states';
import { day } from '../../lib/format';
import { useNews } from './api/before-install';
import { AskAgain } from './ask-again';

export function News({ type }: { type: 'blog' | 'papers' }) {
  const { t, i18n } = useTranslation();
  const news = useNews(type, i18n.language);
  if (news.isPending) return <Loading />;
  if (news.isError) return <Failed error={news.error} onRetry={() => void news.refetch()} />;
  return (
    <Stack>
      {news.data.error && (
        <Alert color="orange" variant="light" icon={<IconAlertTriangle size={16} aria-hidden />}>
          {t('discover.unreachable')}
          <Text size="xs" lang="en">
            {news.data.error}
          </Text>
          <AskAgain loading={news.isFetching} onClick={() => void news.refetch()} />
        </Alert>
      )}
      {news.data.items.length === 0 && !news.data.error && <Empty>{t('discover.nothing')}</Empty>}
      {news.data.items.map((item) => (
        <article key={item.url} className="panel" style={{ padding: 16 }}>
          <Anchor href={item.url} target="_blank" rel="noreferrer noopener" fw={600}>
            {item.title} <IconExternalLink size={13} aria-hidden />
          </Anchor>
          <Text size="xs" className="muted">
            {item.published_at && day(item.published_at, i18n.language)}
          </Text>
          <Text size="sm" mt={4}>
            {item.summary}
          </Text>
        </article>
      ))}
    </Stack>
  );
}
