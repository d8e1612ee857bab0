// Before an installation: which variant, what it takes, whether it runs here, and what stands in its way.
import { Alert, Badge, Button, Group, Modal, Select, Stack, Table, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failed, Loading } from '../../components/states';
import { engineName } from '../../lib/engines';
import { errorText } from '../../lib/error-text';
import { bytes, number } from '../../lib/format';
import { useModelAction } from '../../lib/operations';
import { useFit, usePreflight } from './api/before-install';
import type { Discovered } from './api/discover';

interface Variants {
  of: string;
  list: { name: string; size_bytes: number | null; chosen: boolean }[];
}

export function InstallDialog({ entry, onClose }: { entry: Discovered | null; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const [variant, setVariant] = useState('');
  const runtime = entry?.runtime ?? 'llama-cpp';
  const [base = '', tag] = entry?.model_name.split(':') ?? [];
  // Where the library does not list its tags, the person may still know one.
  const takesTag = entry?.provider === 'ollama' && tag === undefined;
  const name = variant ? `${base}:${variant}` : (entry?.model_name ?? '');
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
                size_bytes === null ? null : bytes(size_bytes, i18n.language),
                chosen && tag === undefined ? t('discover.variant.usual') : null,
                free !== undefined && size_bytes !== null && size_bytes > free ? t('discover.variant.large') : null,
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
