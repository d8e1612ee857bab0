// Finding models: what people use now, search, whether it would run here, and news.
import {
  Alert,
  Anchor,
  Badge,
  Button,
  Group,
  Modal,
  NativeSelect,
  Progress,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Table,
  Tabs,
  Text,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconDownload, IconExternalLink, IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { engineName } from '../../lib/engines';
import { errorText } from '../../lib/error-text';
import { bytes, day, number } from '../../lib/format';
import { isRunning, type Operation, useModelAction, useOperations } from '../../lib/operations';
import { type CatalogEntry, useCatalog, useFit, useNews, usePreflight } from './api/get-catalog';

const GIGABYTE = 1_073_741_824;

export function DiscoverPage() {
  const { t } = useTranslation();
  const [provider, setProvider] = useState('huggingface');
  const [query, setQuery] = useState('');
  const [wanted] = useDebouncedValue(query.trim(), 350);
  const [chosen, setChosen] = useState<CatalogEntry | null>(null);
  const catalog = useCatalog(provider, wanted);
  const sources = [
    { value: 'huggingface', label: 'Hugging Face' },
    { value: 'ollama', label: 'Ollama' },
    { value: 'python-index', label: t('discover.pythonIndex') },
    { value: 'local', label: t('discover.local') },
  ];
  const running = useOperations().data?.filter((one) => one.operation_type === 'install' && isRunning(one)) ?? [];
  return (
    <div className="page">
      <PageHeader title={t('discover.title')} lead={t('discover.lead')} />
      <Tabs defaultValue="models">
        <Tabs.List mb="lg">
          <Tabs.Tab value="models">{t('nav.models')}</Tabs.Tab>
          <Tabs.Tab value="blog">{t('discover.blog')}</Tabs.Tab>
          <Tabs.Tab value="papers">{t('discover.papers')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="models">
          <Group mb="md" wrap="wrap">
            <TextInput
              flex={1}
              miw={220}
              aria-label={t('discover.search')}
              placeholder={t('discover.search')}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={query}
              onChange={(event) => setQuery(event.currentTarget.value)}
            />
            <SegmentedControl
              aria-label={t('discover.source')}
              visibleFrom="sm"
              value={provider}
              onChange={setProvider}
              data={sources}
            />
            {/* All of them in sight where there is no room for a row. */}
            <NativeSelect
              aria-label={t('discover.source')}
              hiddenFrom="sm"
              w="100%"
              value={provider}
              onChange={(event) => setProvider(event.currentTarget.value)}
              data={sources}
            />
          </Group>
          {catalog.data?.error && (
            <Alert color="orange" variant="light" mb="md" icon={<IconAlertTriangle size={16} aria-hidden />}>
              {catalog.data.stale && catalog.data.models.length > 0 ? t('discover.stale') : t('discover.unreachable')}{' '}
              <Text size="xs" lang="en">
                {catalog.data.error}
              </Text>
              <AskAgain loading={catalog.isFetching} onClick={() => void catalog.refetch()} />
            </Alert>
          )}
          {catalog.isPending && <Loading />}
          {catalog.isError && <Failed error={catalog.error} onRetry={() => void catalog.refetch()} />}
          {catalog.isSuccess && catalog.data.models.length === 0 && !catalog.data.error && (
            <Empty>{t('discover.nothing')}</Empty>
          )}
          {catalog.isSuccess && (
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
              {catalog.data.models.map((entry) => (
                <EntryCard
                  key={`${entry.provider} ${entry.model_name}`}
                  entry={entry}
                  installing={running.find((one) => isOf(one, entry))}
                  onInstall={setChosen}
                />
              ))}
            </SimpleGrid>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="blog">
          <News type="blog" />
        </Tabs.Panel>
        <Tabs.Panel value="papers">
          <News type="papers" />
        </Tabs.Panel>
      </Tabs>
      <InstallDialog entry={chosen} onClose={() => setChosen(null)} />
    </div>
  );
}

/** The name may have a variant behind it. */
const isOf = ({ model_name, provider }: Operation, entry: CatalogEntry): boolean =>
  provider === entry.provider && (model_name === entry.model_name || model_name.startsWith(`${entry.model_name}:`));

function AskAgain({ loading, onClick }: { loading: boolean; onClick: () => void }) {
  const { t } = useTranslation();
  return (
    <Button size="compact-xs" variant="default" loading={loading} onClick={onClick}>
      {t('state.retry')}
    </Button>
  );
}

function EntryCard({
  entry,
  installing,
  onInstall,
}: {
  entry: CatalogEntry;
  installing: Operation | undefined;
  onInstall: (entry: CatalogEntry) => void;
}) {
  const { t, i18n } = useTranslation();
  return (
    <article className="panel" style={{ padding: 16, display: 'flex', flexDirection: 'column', gap: 8 }}>
      <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
        {entry.model_name}
      </Text>
      {entry.description && (
        <Text size="sm" className="muted" lineClamp={2}>
          {entry.description}
        </Text>
      )}
      <Group gap={6}>
        {entry.licence && (
          <Badge variant="default" size="sm">
            {entry.licence}
          </Badge>
        )}
        {entry.gated && (
          <Badge color="orange" variant="dot" size="sm">
            {t('discover.gated')}
          </Badge>
        )}
        {entry.installed && (
          <Badge color="teal" variant="dot" size="sm" tt="none">
            {t('discover.installed')}
          </Badge>
        )}
        {entry.problem && (
          <Badge color="red" variant="dot" size="sm" tt="none" title={entry.problem}>
            {t('discover.problem')}
          </Badge>
        )}
        {entry.tags.slice(0, 4).map((tag) => (
          <Badge key={tag} variant="default" size="sm" tt="none">
            {tag}
          </Badge>
        ))}
      </Group>
      {installing && (
        <Progress
          value={installing.progress}
          animated={installing.progress === 0}
          aria-label={`${entry.model_name}: ${Math.round(installing.progress)} %`}
        />
      )}
      <Group justify="space-between" mt="auto" pt={6}>
        <Text size="xs" className="muted">
          {[
            entry.size_gb === null ? null : bytes(entry.size_gb * GIGABYTE, i18n.language),
            entry.downloads === null
              ? null
              : t('discover.downloads', { value: number(entry.downloads, i18n.language, 0) }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
        {installing ? (
          <Anchor component={Link} to="/activity" size="sm" aria-label={`${t('discover.follow')} ${entry.model_name}`}>
            {t('discover.follow')}
          </Anchor>
        ) : (
          <Button
            size="compact-sm"
            variant={entry.installed ? 'default' : 'light'}
            leftSection={<IconDownload size={14} aria-hidden />}
            disabled={entry.problem !== null || (entry.provider === 'local' && entry.installed)}
            onClick={() => onInstall(entry)}
            aria-label={`${t('discover.install')} ${entry.model_name}`}
          >
            {entry.installed && entry.provider !== 'local' ? t('discover.again') : t('discover.install')}
          </Button>
        )}
      </Group>
    </article>
  );
}

interface Variants {
  of: string;
  list: { name: string; size_bytes: number; chosen: boolean }[];
}

function InstallDialog({ entry, onClose }: { entry: CatalogEntry | null; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const [variant, setVariant] = useState('');
  const runtime = entry?.runtime ?? 'llama-cpp';
  // What Hugging Face has is listed; Ollama's tags nobody lists.
  const takesTag = entry?.provider === 'ollama' && !entry.model_name.includes(':');
  const name = entry ? `${entry.model_name}${variant && !entry.model_name.includes(':') ? `:${variant}` : ''}` : '';
  const [asked] = useDebouncedValue(name, 400);
  const preflight = usePreflight(asked, entry?.provider ?? '', runtime);
  const install = useModelAction();
  // What is told below is of the name above, and only that may be installed.
  const judging = asked !== name || preflight.isFetching;
  // Of the model, whichever of them is looked at: the choice stays while the next one is judged.
  const [variants, setVariants] = useState<Variants>({ of: '', list: [] });
  const told = preflight.data?.variants;
  if (entry && told && told.length > 1 && variants.of !== entry.model_name)
    setVariants({ of: entry.model_name, list: told });
  const choices = entry && variants.of === entry.model_name ? variants.list : [];
  const free = preflight.data?.fit?.available_bytes;
  const close = () => {
    setVariant('');
    onClose();
  };
  return (
    <Modal
      opened={entry !== null}
      onClose={close}
      title={t('discover.install.title', { name: entry?.display_name ?? '' })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size="lg"
    >
      <Stack>
        {choices.length > 0 ? (
          <Select
            label={t('discover.variant')}
            description={t('discover.variant.choose')}
            styles={{ description: { color: 'var(--venom-muted)' } }}
            allowDeselect={false}
            searchable
            maxDropdownHeight={320}
            value={variant || (choices.find(({ chosen }) => chosen)?.name ?? null)}
            onChange={(value) => setVariant(value ?? '')}
            data={choices.map(({ name: value, size_bytes, chosen }) => ({
              value,
              label: [
                value,
                bytes(size_bytes, i18n.language),
                chosen ? t('discover.variant.usual') : null,
                free !== undefined && size_bytes > free ? t('discover.variant.large') : null,
              ]
                .filter(Boolean)
                .join(' · '),
            }))}
          />
        ) : (
          takesTag && (
            <TextInput
              label={t('discover.variant')}
              description={t('discover.variant.hint')}
              styles={{ description: { color: 'var(--venom-muted)' } }}
              value={variant}
              onChange={(event) => setVariant(event.currentTarget.value.trim())}
            />
          )
        )}
        <Text size="sm">
          {t('discover.runs', { runtime: engineName(t, runtime) })} <code>{name}</code>
        </Text>
        {judging && <Loading />}
        {preflight.isError && <Failed error={preflight.error} onRetry={() => void preflight.refetch()} />}
        {preflight.data && !judging && (
          <Alert
            color={{ ok: 'teal', warn: 'orange', no: 'red' }[preflight.data.verdict]}
            variant="light"
            styles={{ label: { color: 'var(--mantine-color-text)' } }}
            title={t(`discover.verdict.${preflight.data.verdict}`)}
          >
            <Stack gap={4}>
              {preflight.data.total_bytes !== null &&
                preflight.data.total_bytes > 0 &&
                preflight.data.disk.free_bytes !== null && (
                  <Text size="sm">
                    {t('discover.needs', {
                      size: bytes(preflight.data.total_bytes, i18n.language),
                      free: bytes(preflight.data.disk.free_bytes, i18n.language),
                    })}
                  </Text>
                )}
              {preflight.data.fit && (
                <Text size="sm">
                  {t(`discover.fit.${preflight.data.fit.verdict}`, {
                    context: number(preflight.data.fit.context_length, i18n.language, 0),
                    size: bytes(preflight.data.fit.total_bytes, i18n.language),
                  })}
                </Text>
              )}
              {preflight.data.licence && (
                <Text size="sm">{t('discover.licence', { licence: preflight.data.licence })}</Text>
              )}
              {preflight.data.checksum_known && <Text size="sm">{t('discover.checksum')}</Text>}
              {preflight.data.reasons.map(({ code, message }) => (
                <Text key={code} size="sm">
                  {errorText(code, message)}
                </Text>
              ))}
            </Stack>
          </Alert>
        )}
        {runtime === 'llama-cpp' && preflight.data && preflight.data.files.length > 0 && (
          <FitTable name={asked} provider={entry?.provider ?? ''} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button
            loading={install.isPending}
            disabled={!preflight.data || judging || preflight.data.verdict === 'no'}
            onClick={() =>
              entry &&
              install.mutate(
                { path: '/models/registry/install', json: { name, provider: entry.provider, runtime } },
                {
                  onSuccess: () => {
                    notifications.show({ message: t('discover.begun', { name: entry.display_name }) });
                    close();
                  },
                },
              )
            }
          >
            {t('discover.install')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function FitTable({ name, provider }: { name: string; provider: string }) {
  const { t, i18n } = useTranslation();
  const fit = useFit(name, provider, name !== '');
  if (fit.isPending) return <Loading />;
  // A source that cannot be read in pieces only means that nobody knows yet.
  if (fit.isError) return <Text size="sm">{t('fit.unknown')}</Text>;
  return (
    <Table aria-label={t('fit.title')}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('fit.context')}</Table.Th>
          <Table.Th>{t('usage.memory')}</Table.Th>
          <Table.Th>{t('fit.title')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {fit.data.map((row) => (
          <Table.Tr key={row.context_length}>
            <Table.Td>{number(row.context_length, i18n.language, 0)}</Table.Td>
            <Table.Td>{bytes(row.total_bytes, i18n.language)}</Table.Td>
            <Table.Td>
              <Badge variant="dot" tt="none" color={{ yes: 'teal', tight: 'orange', no: 'red' }[row.verdict]}>
                {t(`fit.${row.verdict}`)}
                {row.tokens_per_second !== null &&
                  ` · ${t('chat.speed', { value: number(row.tokens_per_second, i18n.language, 0) })}`}
              </Badge>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function News({ type }: { type: 'blog' | 'papers' }) {
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
