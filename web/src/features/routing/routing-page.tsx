// Routing: try what would happen to a text and why, write the policy, see what was spent, keep the clouds' keys.
import {
  Alert,
  Badge,
  Button,
  Group,
  PasswordInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Table,
  Text,
  Textarea,
  Title,
} from '@mantine/core';
import { IconCloud, IconHome, IconShieldLock } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { TaskTypeName } from '../../../../src/contract/routing';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { type Explained, useCostMode, useExplain, useProviders, useRoutingAction } from './api/get-routing';
import { PolicyEditor } from './policy-editor';

const MODES = ['direct', 'normal', 'complex'] as const;

export function RoutingPage() {
  const { t } = useTranslation();
  const explain = useExplain();
  return (
    <div className="page">
      <PageHeader title={t('routing.title')} lead={t('routing.lead')} />
      <Stack gap="lg">
        <DryRun explain={explain} />
        <PolicyEditor path={pathOf(explain.data)} />
        <Spending />
        <Keys />
      </Stack>
    </div>
  );
}

/** The ways the dry run took in the policy's tree, if it came that far. */
const pathOf = (explained: Explained | undefined): string[] | null =>
  explained?.steps.find(({ check }) => check === 'policy')?.outcome.split(' → ') ?? null;

function DryRun({ explain }: { explain: ReturnType<typeof useExplain> }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [mode, setMode] = useState<(typeof MODES)[number]>('normal');
  const [taskType, setTaskType] = useState('STANDARD');
  return (
    <section className="panel" style={{ padding: 16 }} aria-labelledby="dry-run">
      <Title order={2} size="h5" id="dry-run">
        {t('routing.try')}
      </Title>
      <Text size="xs" className="muted" mb="sm">
        {t('routing.try.lead')}
      </Text>
      <Textarea
        autosize
        minRows={2}
        maxRows={8}
        maxLength={50_000}
        aria-label={t('routing.text')}
        placeholder={t('routing.text.hint')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Group mt="sm" justify="space-between">
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label={t('chat.mode')}
            value={mode}
            data={MODES.map((value) => ({ value, label: t(`chat.mode.${value}`) }))}
            onChange={(value) => setMode(value as typeof mode)}
          />
          <Select
            size="xs"
            aria-label={t('routing.task')}
            allowDeselect={false}
            value={taskType}
            data={TaskTypeName.options.map((type) => ({ value: type, label: t(`routing.task.${type}`) }))}
            onChange={(value) => value && setTaskType(value)}
          />
        </Group>
        <Button
          size="sm"
          disabled={text.trim() === ''}
          loading={explain.isPending}
          onClick={() => explain.mutate({ text, mode, task_type: taskType })}
        >
          {t('routing.try.do')}
        </Button>
      </Group>
      {explain.isError && <Failed error={explain.error} onRetry={() => explain.reset()} />}
      {explain.data && <Verdict explained={explain.data} />}
    </section>
  );
}

function Verdict({ explained }: { explained: Explained }) {
  const { t } = useTranslation();
  const { decision, steps } = explained;
  const local = decision.target === 'local';
  return (
    <Stack mt="md" gap="xs" role="status">
      <Alert
        variant="light"
        color={local ? 'teal' : 'blue'}
        icon={local ? <IconHome size={18} aria-hidden /> : <IconCloud size={18} aria-hidden />}
        title={`${t(local ? 'routing.local' : 'routing.cloud')} · ${decision.provider} · ${decision.model || '–'}`}
      >
        {decision.reason}
      </Alert>
      <Group gap={6}>
        <Badge variant="default" tt="none">
          {decision.reason_code}
        </Badge>
        <Badge variant="default" tt="none">
          {t('routing.complexity', { value: decision.complexity })}
        </Badge>
        {decision.sensitive && (
          <Badge variant="light" color="orange" tt="none" leftSection={<IconShieldLock size={12} aria-hidden />}>
            {decision.findings.join(', ') || t('privacy.sensitive')}
          </Badge>
        )}
        {!local && (
          <Badge variant="default" tt="none">
            {t('inspector.cost', { value: decision.estimated_cost_usd.toFixed(4) })}
          </Badge>
        )}
      </Group>
      <Table aria-label={t('routing.why')}>
        <Table.Tbody>
          {steps.map(({ check, outcome }) => (
            <Table.Tr key={`${check} ${outcome}`}>
              <Table.Th w={150} fw={500}>
                {check}
              </Table.Th>
              <Table.Td>{outcome}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {decision.chain.length > 1 && (
        <Text size="xs" className="muted">
          {t('inspector.chain', {
            chain: decision.chain.map(({ provider, model }) => `${provider} ${model}`).join(' → '),
          })}
        </Text>
      )}
    </Stack>
  );
}

function Spending() {
  const { t } = useTranslation();
  const cost = useCostMode();
  const action = useRoutingAction();
  const usd = (value: number | null) => (value === null ? '–' : `${value.toFixed(2)} USD`);
  return (
    <section className="panel" style={{ padding: 16 }} aria-labelledby="spending">
      <Group justify="space-between" align="flex-start">
        <div>
          <Title order={2} size="h5" id="spending">
            {t('routing.spending')}
          </Title>
          {cost.data && (
            <Text size="sm" className="muted">
              {t('routing.spent', {
                today: usd(cost.data.budget.spent_today_usd),
                month: usd(cost.data.budget.spent_month_usd),
                left: usd(cost.data.budget.remaining_usd),
              })}
            </Text>
          )}
          {cost.data && (
            <Text size="xs" className="muted" mt={2}>
              AI_MODE: {cost.data.ai_mode}
            </Text>
          )}
        </div>
        <Switch
          label={t('routing.paid')}
          checked={cost.data?.enabled ?? false}
          disabled={!cost.data}
          onChange={(event) =>
            action.mutate({ path: '/system/cost-mode', json: { enable: event.currentTarget.checked } })
          }
        />
      </Group>
      {cost.isPending && <Loading />}
      {cost.isError && <Failed error={cost.error} onRetry={() => void cost.refetch()} />}
    </section>
  );
}

function Keys() {
  const { t } = useTranslation();
  const providers = useProviders();
  return (
    <section className="panel" style={{ padding: 16 }} aria-labelledby="keys">
      <Title order={2} size="h5" id="keys">
        {t('routing.keys')}
      </Title>
      <Text size="xs" className="muted" mb="sm">
        {t('routing.keys.lead')}
      </Text>
      {providers.isPending && <Loading />}
      {providers.isError && <Failed error={providers.error} onRetry={() => void providers.refetch()} />}
      {providers.data?.length === 0 && <Empty>{t('routing.keys.none')}</Empty>}
      <Stack gap="sm">
        {providers.data?.map((provider) => (
          <KeyRow key={provider.name} provider={provider} />
        ))}
      </Stack>
    </section>
  );
}

function KeyRow({
  provider,
}: {
  provider: { name: string; display_name: string; configured: boolean; key_source: string | null };
}) {
  const { t } = useTranslation();
  const [key, setKey] = useState('');
  const action = useRoutingAction();
  return (
    <Group align="flex-end" gap="sm">
      <PasswordInput
        flex={1}
        miw={220}
        label={provider.display_name}
        description={provider.configured ? t(`routing.key.${provider.key_source ?? 'file'}`) : t('routing.key.missing')}
        autoComplete="off"
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
      />
      <Button
        disabled={key.trim().length < 8}
        loading={action.isPending}
        onClick={() =>
          action.mutate(
            { path: `/providers/${provider.name}/key`, method: 'PUT', json: { key: key.trim() } },
            { onSuccess: () => setKey('') },
          )
        }
      >
        {t('action.save')}
      </Button>
      {(provider.key_source === 'file' || provider.key_source === 'keyring') && (
        <Button
          variant="default"
          onClick={() => action.mutate({ path: `/providers/${provider.name}/key`, method: 'DELETE' })}
        >
          {t('models.remove')}
        </Button>
      )}
    </Group>
  );
}
