// What happens with models and what happened: phases, bytes, speed; stop it, try it again.
import { ActionIcon, Badge, Group, Progress, Stack, Text, Tooltip } from '@mantine/core';
import { IconActivity, IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ErrorAdvice } from '../../components/error-advice';
import { ButtonLink } from '../../components/links';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { errorText } from '../../lib/error-text';
import { bytes, duration, moment } from '../../lib/format';
import { isRunning, type Operation, useModelAction, useOperations } from '../../lib/operations';

const COLORS: Record<Operation['status'], string> = {
  pending: 'gray',
  in_progress: 'blue',
  completed: 'teal',
  failed: 'red',
  cancelled: 'gray',
  interrupted: 'orange',
};

export function ActivityPage() {
  const { t } = useTranslation();
  const operations = useOperations();
  return (
    <div className="page">
      <PageHeader title={t('activity.title')} lead={t('activity.lead')} />
      {operations.isPending && <Loading />}
      {operations.isError && <Failed error={operations.error} onRetry={() => void operations.refetch()} />}
      {operations.isSuccess && operations.data.length === 0 && (
        <Empty
          icon={IconActivity}
          action={
            <ButtonLink to="/discover" size="xs" variant="default">
              {t('empty.activity.do')}
            </ButtonLink>
          }
        >
          {t('activity.empty')}
        </Empty>
      )}
      <Stack>
        {operations.data?.map((operation) => (
          <OperationCard key={operation.operation_id} operation={operation} />
        ))}
      </Stack>
    </div>
  );
}

function OperationCard({ operation }: { operation: Operation }) {
  const { t, i18n } = useTranslation();
  const action = useModelAction();
  const running = isRunning(operation);
  const { language } = i18n;
  const figures = [
    operation.total_bytes
      ? t('usage.of', {
          used: bytes(operation.received_bytes, language),
          total: bytes(operation.total_bytes, language),
        })
      : null,
    operation.bytes_per_second ? `${bytes(operation.bytes_per_second, language)}/s` : null,
    running && operation.eta_seconds !== null
      ? t('activity.left', { value: duration(operation.eta_seconds * 1_000, language) })
      : null,
  ].filter(Boolean);
  return (
    <article className="panel" style={{ padding: 16 }}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Group gap={8}>
            <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
              {operation.model_name}
            </Text>
            <Badge variant="default" size="sm" tt="none">
              {t(`activity.type.${operation.operation_type}`)}
            </Badge>
            <Badge variant="dot" size="sm" color={COLORS[operation.status]} tt="none">
              {t(`activity.status.${operation.status}`)}
            </Badge>
          </Group>
          <Text size="xs" className="muted" mt={2}>
            {moment(operation.started_at, language)}
            {figures.length > 0 && ` · ${figures.join(' · ')}`}
          </Text>
        </div>
        {running ? (
          <Tooltip label={t('activity.cancel')}>
            <ActionIcon
              variant="default"
              aria-label={`${t('activity.cancel')} ${operation.model_name}`}
              onClick={() => action.mutate({ path: `/models/operations/${operation.operation_id}/cancel` })}
            >
              <IconPlayerStop size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ) : (
          operation.status !== 'completed' && (
            <Tooltip label={t('state.retry')}>
              <ActionIcon
                variant="default"
                aria-label={`${t('state.retry')} ${operation.model_name}`}
                onClick={() => action.mutate({ path: `/models/operations/${operation.operation_id}/retry` })}
              >
                <IconRefresh size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )
        )}
      </Group>
      {running && (
        <Progress
          mt="sm"
          value={operation.progress}
          animated={operation.progress === 0}
          aria-label={`${operation.model_name}: ${Math.round(operation.progress)} %`}
        />
      )}
      {operation.error && (
        <Text
          size="sm"
          c="var(--mantine-color-red-light-color)"
          mt="xs"
          role="alert"
          style={{ overflowWrap: 'anywhere' }}
        >
          {errorText(operation.error_code, operation.error)} <ErrorAdvice code={operation.error_code} />
        </Text>
      )}
      {operation.steps.length > 0 && (
        <Group gap={6} mt="xs">
          {operation.steps.map((step) => (
            <Badge
              key={`${step.name} ${step.started_at}`}
              size="sm"
              tt="none"
              variant="dot"
              color={{ running: 'blue', done: 'teal', failed: 'red' }[step.status]}
            >
              {t([`activity.step.${step.name}`, `tools.stage.${step.name}`], { defaultValue: step.name })}
            </Badge>
          ))}
        </Group>
      )}
    </article>
  );
}
