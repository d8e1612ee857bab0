// One import, wherever it is: looked at, waiting for a yes, being built, done, or failed. Its address stays the same, and so
// does what it shows after a reload.
import { Alert, Button, Code, Group, List, Progress, Stack, Text, Title } from '@mantine/core';
import {
  IconArrowLeft,
  IconCheck,
  IconCircle,
  IconCircleCheck,
  IconCircleX,
  IconLoader2,
  IconRefresh,
} from '@tabler/icons-react';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { AnchorLink, ButtonLink } from '../../components/links';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { errorText } from '../../lib/error-text';
import { duration } from '../../lib/format';
import { isRunning, type Operation } from '../../lib/operations';
import { useOperation, useOperationAction, usePlans } from './api/imports';
import { PlanView } from './plan-view';

/** What is still to come is shown too, so that a person knows how far it is. */
const STAGES: Record<string, readonly string[]> = {
  mcp_plan: ['fetch', 'inspect'],
  mcp_import: ['build', 'probe', 'activate'],
};

export function ImportProgressPage() {
  const { t } = useTranslation();
  const { operationId } = useParams({ from: '/tools/imports/$operationId' });
  const operation = useOperation(operationId);
  return (
    <div className="page" style={{ maxWidth: 860 }}>
      <AnchorLink to="/tools" size="sm" className="back-link">
        <IconArrowLeft size={15} aria-hidden /> {t('tools.title')}
      </AnchorLink>
      {operation.isPending && <Loading />}
      {operation.isError && <Failed error={operation.error} onRetry={() => void operation.refetch()} />}
      {operation.data && (
        <>
          <PageHeader
            title={t('tools.import.of', { name: operation.data.model_name })}
            lead={t(leadOf(operation.data))}
          />
          <Phases operation={operation.data} />
          <Body operation={operation.data} />
        </>
      )}
    </div>
  );
}

function leadOf({ operation_type: type, status }: Operation): string {
  if (status === 'pending' || status === 'in_progress')
    return type === 'mcp_plan' ? 'tools.progress.looks' : 'tools.progress.builds';
  if (status === 'completed') return type === 'mcp_plan' ? 'tools.progress.found' : 'tools.progress.done';
  return 'tools.progress.stopped';
}

/** Source, plan, building, ready: where one is in the whole. */
function Phases({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const planning = operation.operation_type === 'mcp_plan';
  const done = operation.status === 'completed';
  const at = planning ? (done ? 1 : 0) : done ? 3 : 2;
  return (
    <ol className="phases" aria-label={t('tools.progress.phases')}>
      {(['fetch', 'agree', 'build', 'ready'] as const).map((phase, index) => (
        <li key={phase} data-done={index < at || at === 3} aria-current={index === at ? 'step' : undefined}>
          <span aria-hidden>{index < at || at === 3 ? <IconCheck size={13} /> : index + 1}</span>
          {t(`tools.phase.${phase}`)}
        </li>
      ))}
    </ol>
  );
}

function Body({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const plans = usePlans();
  const ended = !isRunning(operation);
  if (!ended || operation.status !== 'completed')
    return (
      <Stack gap="md">
        <Stages operation={operation} />
        {ended && <Stopped operation={operation} />}
      </Stack>
    );
  if (operation.operation_type === 'mcp_import')
    return (
      <Stack gap="md">
        <Ready operation={operation} />
        <Stages operation={operation} />
      </Stack>
    );
  if (plans.isPending) return <Loading />;
  if (plans.isError) return <Failed error={plans.error} onRetry={() => void plans.refetch()} />;
  const plan = plans.data.find(({ plan_id: id }) => id === operation.operation_id);
  if (plan) return <PlanView plan={plan} />;
  return (
    <div className="panel" style={{ padding: 16 }}>
      <Empty>{t('tools.plan.gone')}</Empty>
      <Group justify="center">
        <ButtonLink to="/tools" size="xs" variant="default">
          {t('tools.plan.toServers')}
        </ButtonLink>
      </Group>
    </div>
  );
}

function Stages({ operation }: { operation: Operation }) {
  const { t, i18n } = useTranslation();
  const action = useOperationAction();
  const running = isRunning(operation);
  const begun = operation.steps;
  const coming = running
    ? (STAGES[operation.operation_type] ?? []).filter((name) => !begun.some((step) => step.name === name))
    : [];
  return (
    <section className="panel" style={{ padding: 16 }} aria-label={t('tools.progress.stages')}>
      {running && <Progress value={100} animated mb="md" size="sm" aria-label={operation.message} />}
      <ol className="stages" aria-live="polite">
        {begun.map((step) => (
          <li key={`${step.name} ${step.started_at}`} data-status={step.status}>
            <StageIcon status={step.status} />
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={500}>
                {t(`tools.stage.${step.name}`, { defaultValue: step.name })}
              </Text>
              <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
                {[
                  // Why it failed is said below, once.
                  step.status === 'failed' ? null : step.message,
                  step.ended_at
                    ? duration(Date.parse(step.ended_at) - Date.parse(step.started_at), i18n.language)
                    : null,
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </Text>
            </div>
          </li>
        ))}
        {coming.map((name) => (
          <li key={name} data-status="waiting">
            <StageIcon status="waiting" />
            <Text size="sm">{t(`tools.stage.${name}`)}</Text>
          </li>
        ))}
        {begun.length === 0 && coming.length === 0 && (
          <li>
            <Text size="sm">{operation.message}</Text>
          </li>
        )}
      </ol>
      {running && (
        <Group justify="flex-end" mt="sm">
          <Button
            size="xs"
            variant="default"
            loading={action.isPending}
            onClick={() => action.mutate({ id: operation.operation_id, action: 'cancel' })}
          >
            {t('action.cancel')}
          </Button>
        </Group>
      )}
    </section>
  );
}

function StageIcon({ status }: { status: 'running' | 'done' | 'failed' | 'waiting' }) {
  const { t } = useTranslation();
  const label = t(`plan.status.${status}`);
  if (status === 'done')
    return <IconCircleCheck size={18} color="var(--mantine-color-teal-6)" role="img" aria-label={label} />;
  if (status === 'failed')
    return <IconCircleX size={18} color="var(--mantine-color-red-6)" role="img" aria-label={label} />;
  if (status === 'running') return <IconLoader2 size={18} className="spin" role="img" aria-label={label} />;
  return <IconCircle size={18} color="var(--venom-muted)" role="img" aria-label={label} />;
}

function Stopped({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const action = useOperationAction();
  return (
    <Alert
      color={operation.status === 'cancelled' ? 'gray' : 'red'}
      variant="light"
      role="alert"
      title={t(`activity.status.${operation.status}`)}
    >
      {operation.error && (
        <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {errorText(operation.error_code, operation.error)}
        </Text>
      )}
      {operation.error_code && (
        <Code mt={6} display="inline-block">
          {operation.error_code}
        </Code>
      )}
      <Group gap="xs" mt="sm">
        <Button
          size="xs"
          leftSection={<IconRefresh size={14} aria-hidden />}
          loading={action.isPending}
          onClick={() =>
            action.mutate(
              { id: operation.operation_id, action: 'retry' },
              {
                onSuccess: ({ operation_id: id }) =>
                  void navigate({ to: '/tools/imports/$operationId', params: { operationId: id } }),
              },
            )
          }
        >
          {t('state.retry')}
        </Button>
        <ButtonLink to="/tools/import" size="xs" variant="default">
          {t('tools.progress.other')}
        </ButtonLink>
      </Group>
    </Alert>
  );
}

function Ready({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const names = (key: string) => {
    const value = operation.result?.[key];
    return Array.isArray(value) ? value.map(String) : [];
  };
  const tools = names('tools');
  const quarantined = names('quarantined');
  return (
    <section className="panel" style={{ padding: 16 }} aria-labelledby="ready">
      <Group gap="xs" mb="xs">
        <IconCircleCheck size={22} color="var(--mantine-color-teal-6)" aria-hidden />
        <Title order={2} size="h4" id="ready">
          {t('tools.ready', { name: operation.model_name })}
        </Title>
      </Group>
      <Text size="sm" mb="xs">
        {t('tools.ready.tools', { value: tools.length })}
      </Text>
      <List size="sm" className="tool-names" listStyleType="none">
        {tools.slice(0, 24).map((name) => (
          <List.Item key={name}>
            <Code>{name}</Code>
          </List.Item>
        ))}
        {tools.length > 24 && <List.Item>…</List.Item>}
      </List>
      {quarantined.length > 0 && (
        <Alert color="orange" variant="light" mt="sm">
          {t('tools.ready.quarantined', { value: quarantined.length })}
        </Alert>
      )}
      <Group mt="md" gap="xs">
        <ButtonLink to="/tools/servers/$name" params={{ name: operation.model_name }} size="sm">
          {t('tools.ready.open')}
        </ButtonLink>
        <ButtonLink to="/tools/import" size="sm" variant="default">
          {t('tools.ready.another')}
        </ButtonLink>
      </Group>
    </section>
  );
}
