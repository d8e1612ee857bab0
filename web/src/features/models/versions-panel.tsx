// Which version answered when: back to the one before, and pins. And models other applications hold.
import { ActionIcon, Badge, Button, Group, Stack, Text, Title, Tooltip } from '@mantine/core';
import { IconPin, IconPinFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { Empty, Failed, Loading } from '../../components/states';
import { engineName } from '../../lib/engines';
import { bytes, moment, number } from '../../lib/format';
import { useModelAction } from '../../lib/operations';
import { useAdoptable, useVersions } from './api/get-versions';
import { ProbeResults } from './probe-results';

/** Enough to tell two versions of one model apart. */
const SHOWN_DIGEST = 12;

export function VersionsPanel() {
  const { t, i18n } = useTranslation();
  const versions = useVersions();
  const action = useModelAction();
  const canRollBack = (versions.data?.filter(({ activated_at }) => activated_at !== null).length ?? 0) > 1;
  return (
    <section className="panel" style={{ padding: 16 }} aria-label={t('versions.title')}>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h5">
          {t('versions.title')}
        </Title>
        <Button
          size="compact-sm"
          variant="default"
          disabled={!canRollBack}
          loading={action.isPending}
          onClick={() => action.mutate({ path: '/models/rollback' })}
        >
          {t('versions.rollback')}
        </Button>
      </Group>
      {versions.isPending && <Loading />}
      {versions.isError && <Failed error={versions.error} onRetry={() => void versions.refetch()} />}
      {versions.data?.length === 0 && <Empty>{t('versions.empty')}</Empty>}
      <Stack gap="xs">
        {versions.data?.map((version) => (
          <Group key={version.version_id} justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Group gap={8}>
                <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
                  {version.model_name}
                </Text>
                {version.active && (
                  <Badge size="sm" tt="none">
                    {t('models.active')}
                  </Badge>
                )}
              </Group>
              <Text size="xs" className="muted">
                {[
                  engineName(t, version.runtime),
                  version.digest?.slice(0, SHOWN_DIGEST),
                  version.activated_at &&
                    t('versions.activated', { time: moment(version.activated_at, i18n.language) }),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </Text>
              <VersionReport report={version.report} />
            </div>
            <Tooltip label={t(version.pinned ? 'versions.pinned' : 'versions.pin.why')} multiline maw={260}>
              <ActionIcon
                variant={version.pinned ? 'light' : 'subtle'}
                color="gray"
                aria-label={`${t('versions.pin')} ${version.version_id}`}
                aria-pressed={version.pinned}
                onClick={() =>
                  action.mutate({
                    path: '/models/versions/pin',
                    json: { version_id: version.version_id, pinned: !version.pinned },
                  })
                }
              >
                {version.pinned ? <IconPinFilled size={16} aria-hidden /> : <IconPin size={16} aria-hidden />}
              </ActionIcon>
            </Tooltip>
          </Group>
        ))}
      </Stack>
    </section>
  );
}

// Reports of every age are kept; what is not of this form is not shown.
const Report = z.object({
  score: z.number(),
  tokensPerSecond: z.number().nullish(),
  results: z.array(z.object({ name: z.string(), status: z.string(), reason: z.string().nullish() })),
});

function VersionReport({ report }: { report: unknown }) {
  const { t, i18n } = useTranslation();
  const parsed = Report.safeParse(report);
  if (!parsed.success)
    return (
      <Text size="xs" className="muted">
        {t('details.unmeasured')}
      </Text>
    );
  const { score, tokensPerSecond, results } = parsed.data;
  const summary = [
    `${t('details.measured')}: ${number(score * 100, i18n.language, 0)} %`,
    tokensPerSecond == null ? null : t('chat.speed', { value: number(tokensPerSecond, i18n.language) }),
  ];
  return (
    <details>
      <Text size="xs" className="muted" component="summary" style={{ cursor: 'pointer' }}>
        {summary.filter(Boolean).join(' · ')}
      </Text>
      <ProbeResults results={results} />
    </details>
  );
}

/** Shown only where there is something to take over. */
export function AdoptablePanel() {
  const { t, i18n } = useTranslation();
  const adoptable = useAdoptable();
  const action = useModelAction();
  const open = adoptable.data?.filter(({ adopted_as }) => adopted_as === null) ?? [];
  if (open.length === 0) return null;
  return (
    <section className="panel" style={{ padding: 16 }} aria-label={t('adopt.title')}>
      <Title order={2} size="h5">
        {t('adopt.title')}
      </Title>
      <Text size="sm" className="muted" mb="sm">
        {t('adopt.lead')}
      </Text>
      <Stack gap="xs">
        {open.map((model) => (
          <Group key={model.id} justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={500}>
                {model.name}
              </Text>
              <Text size="xs" className="muted">
                {model.application} · {bytes(model.size_bytes, i18n.language)}
              </Text>
            </div>
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`${t('adopt.do')} ${model.name}`}
              onClick={() => action.mutate({ path: '/models/adopt', json: { id: model.id } })}
            >
              {t('adopt.do')}
            </Button>
          </Group>
        ))}
      </Stack>
    </section>
  );
}
