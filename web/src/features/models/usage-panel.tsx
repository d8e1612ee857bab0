// CPU, memory, disk and, where there is one, GPU as live charts.
import { Group, SimpleGrid, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useTranslation } from 'react-i18next';
import { Area, AreaChart, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { Failed, Loading } from '../../components/states';
import { bytes, number } from '../../lib/format';
import { type Sample, type Usage, useUsage } from './api/usage';

const GIGABYTE = 1_073_741_824;
/** The samples that are kept, so that the line grows from the right. */
const WINDOW_MS = 120_000;

export function UsagePanel() {
  const { t, i18n } = useTranslation();
  const { data: samples, error, refetch, isPending } = useUsage();
  const now = samples?.at(-1)?.usage;
  if (isPending) return <Loading />;
  if (!now) return <Failed error={error} onRetry={() => void refetch()} />;
  const gb = (value: number) => bytes(value * GIGABYTE, i18n.language);
  return (
    <SimpleGrid cols={{ base: 1, sm: 3, md: now.vram_total_mb === null ? 3 : 4 }} spacing={{ base: 'xs', sm: 'md' }}>
      <Chart title={t('usage.cpu')} samples={samples} value={(usage) => usage.cpu_usage_percent} />
      <Chart
        title={t('usage.memory')}
        samples={samples}
        value={(usage) => usage.memory_usage_percent}
        note={t('usage.of', { used: gb(now.memory_used_gb), total: gb(now.memory_total_gb) })}
      />
      <Chart
        title={t('usage.disk')}
        samples={samples}
        value={(usage) => usage.disk_system_usage_percent}
        note={`${t('usage.of', { used: gb(now.disk_system_used_gb), total: gb(now.disk_system_total_gb) })} · ${t('usage.models', { value: gb(now.disk_usage_gb) })}`}
      />
      {now.vram_total_mb !== null && (
        <Chart
          title={t('usage.gpu')}
          samples={samples}
          value={(usage) => usage.vram_usage_percent ?? 0}
          note={t('usage.of', { used: gb(now.vram_usage_mb / 1_024), total: gb(now.vram_total_mb / 1_024) })}
        />
      )}
    </SimpleGrid>
  );
}

function Chart({
  title,
  samples,
  value,
  note,
}: {
  title: string;
  samples: readonly Sample[];
  value: (usage: Usage) => number;
  note?: string;
}) {
  const { i18n } = useTranslation();
  const narrow = useMediaQuery('(max-width: 47.99em)');
  const data = samples.map(({ at, usage }) => ({ at, percent: value(usage) }));
  const current = data.at(-1)?.percent ?? 0;
  return (
    <section className="panel" style={{ padding: narrow ? '9px 14px' : '16px 18px', minWidth: 0 }} aria-label={title}>
      <Group justify="space-between" align="baseline">
        <Text size="sm" fw={500}>
          {title}
        </Text>
        <Text size={narrow ? 'md' : 'xl'} fw={600} className="figure">
          {number(current, i18n.language, 0)}
          <Text span size="sm" className="muted">
            {' '}
            %
          </Text>
        </Text>
      </Group>
      {/* Three charts would fill a phone before the first model is seen. */}
      {!narrow && (
        <div style={{ height: 70, margin: '6px -4px' }} aria-hidden>
          <ResponsiveContainer width="100%" height="100%">
            <AreaChart data={data} accessibilityLayer={false} margin={{ top: 5, right: 5, bottom: 0, left: 0 }}>
              <XAxis dataKey="at" type="number" domain={[(data.at(-1)?.at ?? 0) - WINDOW_MS, 'dataMax']} hide />
              <YAxis domain={[0, 100]} hide />
              <Area
                type="monotone"
                dataKey="percent"
                stroke="var(--mantine-primary-color-filled)"
                fill="var(--mantine-primary-color-light)"
                strokeWidth={2}
                isAnimationActive={false}
                dot={data.length === 1}
              />
            </AreaChart>
          </ResponsiveContainer>
        </div>
      )}
      <Text size="xs" className="muted figure" mih={narrow ? undefined : 18}>
        {note}
      </Text>
    </section>
  );
}
