// What is in memory now, for how long still, and how long each model shall stay.
import { Button, Group, Menu, Stack, Text, Title } from '@mantine/core';
import { IconChevronDown, IconCpu } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { z } from 'zod';
import type { LoadedModel } from '../../../../src/contract/models';
import { Empty, Failed, Loading } from '../../components/states';
import { engineName } from '../../lib/engines';
import { bytes, clock, duration } from '../../lib/format';
import { useLoaded } from '../../lib/loaded-models';
import { useModelAction } from '../../lib/operations';
import { useKeepAlive } from './api/get-servers';

/** Values of `keep_alive`, by the name of their label. */
const STAYS = { default: '', short: '5m', hour: '1h', always: '-1' } as const;

export function LoadedModels() {
  const { t } = useTranslation();
  const loaded = useLoaded();
  return (
    <section className="panel" style={{ padding: 16 }} aria-label={t('runtimes.loaded')}>
      <Title order={2} size="h5" mb="sm">
        {t('runtimes.loaded')}
      </Title>
      {loaded.isPending && <Loading />}
      {loaded.isError && <Failed error={loaded.error} onRetry={() => void loaded.refetch()} />}
      {loaded.data?.length === 0 && (
        <Empty icon={IconCpu}>{`${t('runtimes.loaded.empty')} ${t('empty.loaded')}`}</Empty>
      )}
      <Stack gap="sm">
        {loaded.data?.map((model) => (
          <LoadedRow key={`${model.runtime} ${model.name}`} model={model} />
        ))}
      </Stack>
    </section>
  );
}

function LoadedRow({ model }: { model: z.output<typeof LoadedModel> }) {
  const { t, i18n } = useTranslation();
  const unload = useModelAction();
  const keepAlive = useKeepAlive();
  const stays =
    model.idle_left_seconds !== null
      ? t('runtimes.idle', { value: duration(model.idle_left_seconds * 1_000, i18n.language) })
      : model.expires_at !== null
        ? t('runtimes.until', { time: clock(model.expires_at, i18n.language) })
        : t((model.answers ?? 0) > 0 ? 'runtimes.answering' : 'runtimes.stays');
  return (
    <Group justify="space-between" gap="xs">
      <div style={{ minWidth: 0 }}>
        <Text fw={500} style={{ overflowWrap: 'anywhere' }}>
          {model.name}
        </Text>
        <Text size="xs" className="muted">
          {[
            engineName(t, model.runtime),
            model.size_bytes === null ? null : bytes(model.size_bytes, i18n.language),
            stays,
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </div>
      <Group gap={6}>
        {/* Another engine decides itself. */}
        {model.runtime === 'llama-cpp' && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button
                size="compact-sm"
                variant="default"
                loading={keepAlive.isPending}
                aria-label={`${t('runtimes.keep')} ${model.name}`}
                rightSection={<IconChevronDown size={14} aria-hidden />}
              >
                {t('runtimes.keep')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {(Object.keys(STAYS) as (keyof typeof STAYS)[]).map((choice) => (
                <Menu.Item
                  key={choice}
                  onClick={() => keepAlive.mutate({ name: model.name, keep_alive: STAYS[choice] })}
                >
                  {t(`runtimes.keep.${choice}`)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`${t('models.unload')} ${model.name}`}
          onClick={() => unload.mutate({ path: '/models/unload', json: { name: model.name } })}
        >
          {t('models.unload')}
        </Button>
      </Group>
    </Group>
  );
}
