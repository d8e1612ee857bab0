// Finding models: what people use now, search, whether it would run here, and news.
import { Alert, Button, Center, Loader, SimpleGrid, Tabs, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { bytes, number } from '../../lib/format';
import { isRunning, type Operation, useOperations } from '../../lib/operations';
import { type Discovered, useDiscover } from './api/discover';
import { AskAgain } from './ask-again';
import { DISCOVER_TABS, type DiscoverSearch, isFiltered, toDiscoverSearch } from './discover-search';
import { EntryCard } from './entry-card';
import { Filters } from './filters';
import { InstallDialog } from './install-dialog';
import { News } from './news';

const PAGE = 24;
/** As many as one answer holds. */
const MOST = 96;

export function DiscoverPage() {
  const { t } = useTranslation();
  // The router hands on what the root has not checked as well.
  const search = toDiscoverSearch({ ...useSearch({ from: '/discover' }) });
  const navigate = useNavigate();
  const { tab = 'models' } = search;
  const go = (next: DiscoverSearch, replace = false) => void navigate({ to: '/discover', search: next, replace });
  return (
    <div className="page">
      <PageHeader title={t('discover.title')} lead={t('discover.lead')} />
      <Tabs value={tab} onChange={(next) => go(toDiscoverSearch({ ...search, tab: next }))}>
        <Tabs.List mb="lg">
          {DISCOVER_TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(each === 'models' ? 'nav.models' : `discover.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="models">
          <Filters search={search} onChange={go} />
          <ModelList search={search} />
        </Tabs.Panel>
        <Tabs.Panel value="blog">{tab === 'blog' && <News type="blog" />}</Tabs.Panel>
        <Tabs.Panel value="papers">{tab === 'papers' && <News type="papers" />}</Tabs.Panel>
      </Tabs>
    </div>
  );
}

function ModelList({ search }: { search: DiscoverSearch }) {
  const { t, i18n } = useTranslation();
  // Another list begins at its beginning.
  const list = JSON.stringify({ ...search, tab: undefined });
  const [shown, setShown] = useState({ list, limit: PAGE });
  const limit = shown.list === list ? shown.limit : PAGE;
  const [chosen, setChosen] = useState<Discovered | null>(null);
  const found = useDiscover(search, limit);
  const running = useOperations().data?.filter((one) => one.operation_type === 'install' && isRunning(one)) ?? [];
  if (found.isError && !found.data) return <Failed error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  const { models, total, sources, machine } = found.data;
  const waiting = sources.some(({ state }) => state === 'pending');
  return (
    <>
      {sources
        .filter(
          ({ state, error }) =>
            state === 'failed' || state === 'stale' || (state === 'pending' && error !== null && models.length === 0),
        )
        .map(({ provider, state, error }) => (
          <Alert
            key={provider}
            color="orange"
            variant="light"
            mb="sm"
            icon={<IconAlertTriangle size={16} aria-hidden />}
          >
            <Text size="sm" span>
              {t(`discover.source.${provider}`, { defaultValue: provider })}:{' '}
              {t(state === 'stale' ? 'discover.stale' : 'discover.unreachable')}
            </Text>
            <Text size="xs" lang="en">
              {error}
            </Text>
            <AskAgain loading={found.isFetching} onClick={() => void found.refetch()} />
          </Alert>
        ))}
      <Text size="xs" className="muted" mb="sm" aria-live="polite">
        {t('discover.count', { value: number(total, i18n.language, 0) })} ·{' '}
        {t('discover.memory', { size: bytes(machine.available_bytes, i18n.language) })}
        {machine.vram_free_bytes !== null &&
          ` · ${t('discover.vram', { size: bytes(machine.vram_free_bytes, i18n.language) })}`}
        {waiting && ` · ${t('discover.asking')}`}
      </Text>
      {models.length === 0 &&
        (waiting ? (
          <Center p="xl">
            <Loader size="sm" aria-hidden />
          </Center>
        ) : (
          <Empty>{t(isFiltered(search) ? 'discover.nothing.filtered' : 'discover.nothing')}</Empty>
        ))}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} style={{ opacity: found.isPlaceholderData ? 0.6 : 1 }}>
        {models.map((entry) => (
          <EntryCard
            key={`${entry.provider} ${entry.model_name}`}
            entry={entry}
            installing={running.find((one) => isOf(one, entry))}
            onInstall={setChosen}
          />
        ))}
      </SimpleGrid>
      {total > models.length && (
        <Center mt="lg">
          {limit < MOST ? (
            <Button
              variant="default"
              loading={found.isFetching && found.isPlaceholderData}
              onClick={() => setShown({ list, limit: limit + PAGE })}
            >
              {t('discover.more', { value: number(total - models.length, i18n.language, 0) })}
            </Button>
          ) : (
            <Text size="sm" className="muted">
              {t('discover.narrow', { value: number(models.length, i18n.language, 0) })}
            </Text>
          )}
        </Center>
      )}
      <InstallDialog entry={chosen} onClose={() => setChosen(null)} />
    </>
  );
}

/** The name may have a variant behind it. */
const isOf = ({ model_name, provider }: Operation, entry: Discovered): boolean =>
  provider === entry.provider && (model_name === entry.model_name || model_name.startsWith(`${entry.model_name}:`));
