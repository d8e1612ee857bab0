// How the server is: version, engines, database, and every setting in effect.
import { Badge, Group, SimpleGrid, Stack, Switch, Table, Text, TextInput, Title } from '@mantine/core';
import { IconApi, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../../components/links';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { engineName } from '../../lib/engines';
import { bytes, number, uptime } from '../../lib/format';
import { useSettings, useSystemInfo } from './api/system';
import { Backups } from './backups';
import { Figures } from './figures';
import { Metrics, Services } from './services';

const COLOUR = { online: 'venom', ready: 'venom', degraded: 'orange', offline: 'red' } as const;

export function SystemPage() {
  const { t } = useTranslation();
  return (
    <div className="page">
      <PageHeader title={t('system.title')} lead={t('system.lead')}>
        <ButtonLink to="/docs" size="xs" variant="default" leftSection={<IconApi size={16} aria-hidden />}>
          {t('reference.title')}
        </ButtonLink>
      </PageHeader>
      <Stack gap="xl">
        <Health />
        <Metrics />
        <Services />
        <Backups />
        <Settings />
      </Stack>
    </div>
  );
}

function Health() {
  const { t, i18n } = useTranslation();
  const info = useSystemInfo();
  if (info.isPending) return <Loading />;
  if (info.isError) return <Failed error={info.error} onRetry={() => void info.refetch()} />;
  const { version, node_version, platform, uptime_seconds, data_dir, memory, store, runtimes } = info.data;
  const facts = [
    { label: t('system.version'), value: version, note: `Node ${node_version.slice(1)} · ${platform}` },
    { label: t('system.uptime'), value: uptime(uptime_seconds, i18n.language) },
    { label: t('system.memory'), value: bytes(memory.process_rss_bytes, i18n.language) },
    {
      label: t('system.database'),
      value: bytes(store.size_bytes, i18n.language),
      note: `SQLite · ${store.journal_mode} · ${store.synchronous}`,
    },
  ];
  return (
    <>
      <Figures facts={facts} />
      <Text size="xs" className="muted" mt={-20} style={{ overflowWrap: 'anywhere' }}>
        {t('system.data')}: {data_dir}
      </Text>
      <section aria-label={t('system.engines')}>
        <Title order={2} size="h5" mb="sm">
          {t('system.engines')}
        </Title>
        {runtimes.length === 0 && <Empty>{t('system.engines.empty')}</Empty>}
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
          {runtimes.map((runtime) => (
            <div key={`${runtime.provider} ${runtime.endpoint}`} className="panel" style={{ padding: '14px 18px' }}>
              <Group justify="space-between" wrap="nowrap">
                <Text fw={600}>{engineName(t, runtime.provider)}</Text>
                <Badge variant="light" tt="none" color={COLOUR[runtime.state]}>
                  {t(`system.state.${runtime.state}`)}
                </Badge>
              </Group>
              <Text size="sm" className="muted" style={{ overflowWrap: 'anywhere' }}>
                {runtime.error ?? runtime.endpoint ?? ''}
              </Text>
              <Group gap="lg" mt={6}>
                {Object.entries(runtime.details)
                  .filter(
                    ([name, value]) =>
                      value !== null && typeof value !== 'object' && value !== undefined && name !== 'process_id',
                  )
                  .map(([name, value]) => (
                    <div key={name}>
                      <Text size="xs" className="muted">
                        {t(`system.engine.${name}`, { defaultValue: name.replaceAll('_', ' ').replace(/ bytes$/, '') })}
                      </Text>
                      <Text size="sm" className="figure">
                        {typeof value === 'number'
                          ? name.endsWith('_bytes')
                            ? bytes(value, i18n.language)
                            : number(value, i18n.language)
                          : String(value)}
                      </Text>
                    </div>
                  ))}
              </Group>
            </div>
          ))}
        </SimpleGrid>
      </section>
    </>
  );
}

function Settings() {
  const { t } = useTranslation();
  const settings = useSettings();
  const [search, setSearch] = useState('');
  const [changedOnly, setChangedOnly] = useState(false);
  const words = search.trim().toLowerCase();
  const shown = settings.data?.settings.filter(
    ({ name, description, source }) =>
      (!changedOnly || source !== 'default') &&
      (name.toLowerCase().includes(words) || description.toLowerCase().includes(words)),
  );
  return (
    <section className="panel" aria-label={t('system.settings')} style={{ padding: '14px 6px' }}>
      <Group px="md" mb="xs" justify="space-between">
        <Title order={2} size="h5">
          {t('system.settings')}
        </Title>
        <Group>
          <Switch
            size="sm"
            label={t('system.settings.changed')}
            checked={changedOnly}
            onChange={(event) => setChangedOnly(event.currentTarget.checked)}
          />
          <TextInput
            size="xs"
            aria-label={t('system.settings.search')}
            placeholder={t('system.settings.search')}
            leftSection={<IconSearch size={14} aria-hidden />}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        </Group>
      </Group>
      {settings.isPending && <Loading />}
      {settings.isError && <Failed error={settings.error} onRetry={() => void settings.refetch()} />}
      {shown?.length === 0 && <Empty>{t('system.settings.empty')}</Empty>}
      {shown && shown.length > 0 && (
        <Table horizontalSpacing="md" layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('models.name')}</Table.Th>
              <Table.Th w="38%">{t('system.settings.value')}</Table.Th>
              <Table.Th w={120} visibleFrom="sm">
                {t('system.settings.source')}
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((setting) => (
              <Table.Tr key={setting.name}>
                <Table.Td>
                  <Text ff="monospace" size="xs" fw={500} style={{ overflowWrap: 'anywhere' }}>
                    {setting.name}
                  </Text>
                  <Text size="xs" className="muted">
                    {setting.description}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Text ff="monospace" size="xs" style={{ overflowWrap: 'anywhere' }}>
                    {setting.value || '–'}
                  </Text>
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <Badge size="sm" variant={setting.source === 'default' ? 'default' : 'light'} tt="none">
                    {t(`system.source.${setting.source}`)}
                  </Badge>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  );
}
