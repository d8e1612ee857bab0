// What the embedded engine does about memory: who waits for which model, and what had to go, with the reason.
import { Group, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Failed, Loading } from '../../components/states';
import { moment, number } from '../../lib/format';
import { useScheduler } from './api/get-servers';

const EVICTIONS_SHOWN = 10;

export function SchedulerPanel() {
  const { t, i18n } = useTranslation();
  const scheduler = useScheduler();
  const status = scheduler.data?.status;
  const inside = scheduler.data?.diagnostics.introspection;
  // An installation without the embedded engine has nothing to say here.
  if (scheduler.isSuccess && !status) return null;
  const figures = status &&
    inside && [
      [t('scheduler.running'), status.running],
      [
        t('scheduler.waiting'),
        `${number(status.waiting, i18n.language, 0)} / ${number(status.limit, i18n.language, 0)}`,
      ],
      [t('scheduler.loads'), inside.loads],
      [t('scheduler.swaps'), inside.swaps],
      [t('scheduler.refused'), status.rejected],
    ];
  return (
    <section className="panel" style={{ padding: 16 }} aria-labelledby="scheduler">
      <Title order={2} size="h5" id="scheduler">
        {t('scheduler.title')}
      </Title>
      <Text size="xs" className="muted" mb="sm">
        {t('scheduler.lead')}
      </Text>
      {scheduler.isPending && <Loading />}
      {scheduler.isError && <Failed error={scheduler.error} onRetry={() => void scheduler.refetch()} />}
      {figures && (
        <Group gap="xl" mb="sm">
          {figures.map(([label, value]) => (
            <div key={label}>
              <Text size="xs" className="muted">
                {label}
              </Text>
              <Text fw={600} className="figure">
                {value}
              </Text>
            </div>
          ))}
        </Group>
      )}
      {inside && (
        <Stack gap={6}>
          {inside.waiting.map(({ model, requests, reason }) => (
            <Text key={model} size="sm" style={{ overflowWrap: 'anywhere' }}>
              {t('scheduler.waits', { model, count: requests })}
              <Text span size="xs" className="muted">
                {' '}
                {reason}
              </Text>
            </Text>
          ))}
          <Title order={3} size="h6">
            {t('scheduler.evictions')}
          </Title>
          {inside.evictions.length === 0 && (
            <Text size="sm" className="muted">
              {t('scheduler.evictions.none')}
            </Text>
          )}
          {inside.evictions
            .toReversed()
            .slice(0, EVICTIONS_SHOWN)
            .map(({ at, model, reason }) => (
              <div key={`${at} ${model}`}>
                <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                  {model}
                </Text>
                <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
                  {moment(at, i18n.language)} · {reason}
                </Text>
              </div>
            ))}
        </Stack>
      )}
    </section>
  );
}
