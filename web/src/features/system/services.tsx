// What this server depends on, and what it counted since it started.
import { Badge, Group, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Empty, Failed, Loading } from '../../components/states';
import { engineName } from '../../lib/engines';
import { bytes, duration, number } from '../../lib/format';
import { useMetrics, useServices } from './api/system';
import { Figures } from './figures';

const COLOUR: Record<string, string> = { online: 'venom', degraded: 'orange', offline: 'red' };

export function Services() {
  const { t, i18n } = useTranslation();
  const services = useServices();
  return (
    <section className="panel" style={{ padding: '14px 18px' }} aria-labelledby="services">
      <Title order={2} size="h5" mb="sm" id="services">
        {t('system.services')}
      </Title>
      {services.isPending && <Loading />}
      {services.isError && <Failed error={services.error} onRetry={() => void services.refetch()} />}
      {services.data?.length === 0 && <Empty>{t('system.services.empty')}</Empty>}
      <Stack gap={8}>
        {services.data?.map((service) => (
          <Group key={service.name} justify="space-between" gap="xs">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
                {engineName(t, service.name)}
              </Text>
              <Text size="xs" className="muted">
                {[
                  t(`system.service.${service.type}`, { defaultValue: service.type }),
                  service.is_critical ? t('system.services.critical') : null,
                  service.latency_ms === null ? null : duration(service.latency_ms, i18n.language),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </Text>
            </div>
            <Badge variant="light" tt="none" color={COLOUR[service.status] ?? 'gray'}>
              {t(`system.state.${service.status}`, { defaultValue: service.status })}
            </Badge>
          </Group>
        ))}
      </Stack>
    </section>
  );
}

export function Metrics() {
  const { t, i18n } = useTranslation();
  const metrics = useMetrics();
  const whole = (value: number) => number(value, i18n.language, 0);
  return (
    <section aria-labelledby="metrics">
      <Title order={2} size="h5" mb="sm" id="metrics">
        {t('system.metrics')}
      </Title>
      {metrics.isPending && <Loading />}
      {metrics.isError && <Failed error={metrics.error} onRetry={() => void metrics.refetch()} />}
      {metrics.data && (
        <Figures
          facts={[
            {
              label: t('system.metrics.tasks'),
              value: whole(metrics.data.tasks.created),
              note: t('system.metrics.tasks.note', {
                done: whole(metrics.data.tasks.completed),
                failed: whole(metrics.data.tasks.failed),
                aborted: whole(metrics.data.tasks.aborted),
              }),
            },
            {
              label: t('system.metrics.first'),
              value:
                metrics.data.llm.first_token_avg_ms === null
                  ? '–'
                  : duration(metrics.data.llm.first_token_avg_ms, i18n.language),
              note: t('system.metrics.answers', { value: whole(metrics.data.llm.first_token_samples) }),
            },
            {
              label: t('system.metrics.tokens'),
              value: whole(metrics.data.tokens_used_session),
              note: t('inspector.cost', { value: number(metrics.data.costUsd, i18n.language, 4) }),
            },
            {
              label: t('system.metrics.feedback'),
              value: `+${whole(metrics.data.feedback.up)} / −${whole(metrics.data.feedback.down)}`,
              note: t('system.metrics.network', { value: bytes(metrics.data.network.total_bytes, i18n.language) }),
            },
          ]}
        />
      )}
    </section>
  );
}
