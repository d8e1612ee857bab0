// The registry of MCP servers: searched, read, and the beginning of an import.
import { Alert, Anchor, Badge, Button, Group, Menu, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconChevronDown, IconCloudOff, IconExternalLink, IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../../components/links';
import { Empty, Failed, Loading } from '../../components/states';
import { ApiError } from '../../lib/http';
import { visibleText } from '../../lib/visible-text';
import { type RegistryEntry, useRegistry } from './api/get-registry';
import { optionsOf } from './import-draft';

export function Registry() {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 350);
  const found = useRegistry(search);
  const entries = found.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Stack gap="md">
      <TextInput
        aria-label={t('tools.registry.search')}
        placeholder={t('tools.registry.search')}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        maxLength={200}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Text size="xs" className="muted">
        {t('tools.registry.lead')}
      </Text>
      {found.isPending && <Loading />}
      {found.isError && <Unreachable error={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && entries.length === 0 && <Empty>{t('tools.registry.empty')}</Empty>}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm" style={{ opacity: found.isPlaceholderData ? 0.6 : 1 }}>
        {entries.map((entry) => (
          <EntryCard key={entry.name} entry={entry} />
        ))}
      </SimpleGrid>
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('sessions.more')}
        </Button>
      )}
    </Stack>
  );
}

/** A registry promises no uptime, and is not needed for anything that is imported already. */
function Unreachable({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const { t } = useTranslation();
  if (!(error instanceof ApiError && (error.code === 'unsupported' || error.code.startsWith('upstream_'))))
    return <Failed error={error} onRetry={onRetry} />;
  const off = error.code === 'unsupported';
  return (
    <Alert
      color="gray"
      variant="light"
      role="alert"
      icon={<IconCloudOff size={18} aria-hidden />}
      title={t(off ? 'tools.registry.off' : 'tools.registry.unreachable')}
    >
      <Text size="sm">{t(off ? 'tools.registry.off.about' : 'tools.registry.unreachable.about')}</Text>
      {!off && (
        <>
          <Text size="xs" className="muted" mt={4}>
            {error.message}
          </Text>
          <Button size="xs" variant="default" mt="sm" onClick={onRetry}>
            {t('state.retry')}
          </Button>
        </>
      )}
    </Alert>
  );
}

function EntryCard({ entry }: { entry: RegistryEntry }) {
  const { t } = useTranslation();
  const kinds = [...new Set([...entry.packages.map(({ kind }) => kind), ...entry.remotes.map(() => 'remote')])];
  return (
    <article className="panel registry-card" aria-label={entry.title}>
      <div style={{ minWidth: 0 }}>
        <Group gap={8}>
          <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
            {visibleText(entry.title)}
          </Text>
          {entry.state !== 'active' && (
            <Badge size="sm" color="orange" variant="light" tt="none">
              {t(`tools.registry.state.${entry.state}`, { defaultValue: entry.state })}
            </Badge>
          )}
        </Group>
        <Text size="xs" className="muted" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
          {visibleText(entry.name)} · {entry.version}
        </Text>
        <Text size="sm" mt={6} lineClamp={3}>
          {visibleText(entry.description)}
        </Text>
      </div>
      <Group justify="space-between" mt="sm" gap="xs">
        <Group gap={6}>
          {kinds.map((kind) => (
            <Badge key={kind} size="sm" variant="default" tt="none">
              {t(`tools.source.${kind}`, { defaultValue: kind })}
            </Badge>
          ))}
          {entry.repository && (
            <Anchor
              size="xs"
              href={entry.repository}
              target="_blank"
              rel="noreferrer noopener"
              aria-label={t('tools.registry.code.of', { name: entry.title })}
            >
              {t('tools.registry.code')} <IconExternalLink size={12} aria-hidden />
            </Anchor>
          )}
        </Group>
        <ImportButton entry={entry} />
      </Group>
    </article>
  );
}

function ImportButton({ entry }: { entry: RegistryEntry }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const options = optionsOf(entry);
  const label = `${t('tools.import')} ${entry.title}`;
  if (options.length === 0)
    return (
      <Text size="xs" className="muted">
        {t('tools.registry.foreign')}
      </Text>
    );
  if (options.length === 1)
    return (
      <ButtonLink
        to="/tools/import"
        search={{ registry: entry.name, option: 0 }}
        size="xs"
        variant="default"
        aria-label={label}
      >
        {t('tools.import')}
      </ButtonLink>
    );
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="xs" variant="default" rightSection={<IconChevronDown size={13} aria-hidden />} aria-label={label}>
          {t('tools.import')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {options.map(({ kind, index }, option) => (
          <Menu.Item
            key={`${kind} ${index}`}
            onClick={() => void navigate({ to: '/tools/import', search: { registry: entry.name, option } })}
          >
            {t(`tools.source.${kind}`)}:{' '}
            {kind === 'remote' ? entry.remotes[index]?.url : entry.packages[index]?.identifier}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
