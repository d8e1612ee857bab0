// MCP servers at a glance: what waits for a person, then each server with its state, its isolation and its figures.
import { Alert, Badge, Button, Group, SimpleGrid, Stack, Switch, Text, Title } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowRight,
  IconDownload,
  IconPlugConnected,
  IconShieldOff,
  IconWorld,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { AnchorLink, ButtonLink } from '../../components/links';
import { Empty, Failed, Loading } from '../../components/states';
import { bytes, duration, number } from '../../lib/format';
import { isForbidden, send } from '../../lib/http';
import { isRunning, useOperations } from '../../lib/operations';
import { saveFile } from '../../lib/save-file';
import { isOperated, type McpServer, useDoctor, useMcpServers, useServerAction } from './api/get-servers';
import { isImport, usePlans } from './api/imports';
import { StateBadge, TierBadge, tierOf } from './badges';
import { shortVersion } from './short-version';

export function ServerList() {
  const { t } = useTranslation();
  const servers = useMcpServers();
  const doctor = useDoctor();
  return (
    <Stack gap="lg">
      {doctor.data?.isolation.best === 'plain' && (
        <Alert color="orange" variant="light" icon={<IconShieldOff size={18} aria-hidden />} title={t('tools.plain')}>
          {t('tools.plain.about')}
        </Alert>
      )}
      <Waiting />
      {servers.isPending && <Loading />}
      {servers.isError && <Failed error={servers.error} onRetry={() => void servers.refetch()} />}
      {servers.data?.length === 0 && <NoServers />}
      {servers.data && servers.data.length > 0 && (
        <section aria-label={t('tools.servers')}>
          <Stack gap="sm">
            {servers.data.map((server) => (
              <ServerCard key={server.name} server={server} />
            ))}
          </Stack>
          <Group justify="space-between" mt="md">
            <Text size="xs" className="muted">
              {t('tools.servers.tokens', {
                value: servers.data.reduce((sum, { prompt_tokens: tokens }) => sum + tokens, 0),
              })}
            </Text>
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              leftSection={<IconDownload size={14} aria-hidden />}
              onClick={() => void exportServers()}
            >
              {t('tools.export')}
            </Button>
          </Group>
        </section>
      )}
    </Stack>
  );
}

function NoServers() {
  const { t } = useTranslation();
  return (
    <div className="panel" style={{ padding: '18px 16px 26px' }}>
      <Empty>{t('tools.servers.empty')}</Empty>
      <Group justify="center" gap="xs">
        <ButtonLink to="/tools/import" size="xs">
          {t('tools.add')}
        </ButtonLink>
        <ButtonLink to="/tools" search={{ tab: 'registry' }} size="xs" variant="default">
          {t('tools.browse')}
        </ButtonLink>
      </Group>
    </div>
  );
}

/** Imports that run, and plans nobody has agreed to yet. */
function Waiting() {
  const { t } = useTranslation();
  const plans = usePlans();
  const operations = useOperations();
  const running = operations.data?.filter((operation) => isImport(operation) && isRunning(operation)) ?? [];
  const waiting = plans.data ?? [];
  if (isForbidden(plans.error)) return null;
  if (plans.isError) return <Failed error={plans.error} onRetry={() => void plans.refetch()} />;
  if (running.length === 0 && waiting.length === 0) return null;
  return (
    <section aria-labelledby="waiting">
      <Title order={2} size="h5" id="waiting" mb="xs">
        {t('tools.waiting')}
      </Title>
      <Stack gap="xs">
        {running.map((operation) => (
          <WaitingRow
            key={operation.operation_id}
            id={operation.operation_id}
            name={operation.model_name}
            text={operation.message}
            label={t(operation.operation_type === 'mcp_plan' ? 'tools.waiting.looks' : 'tools.waiting.builds')}
            action={t('tools.waiting.follow')}
          />
        ))}
        {waiting.map((plan) => (
          <WaitingRow
            key={plan.plan_id}
            id={plan.plan_id}
            name={plan.name}
            text={[plan.source.location, shortVersion(plan.source.version)].filter(Boolean).join(' · ')}
            label={t(`tools.plan.kind.${plan.kind}`)}
            action={t('tools.waiting.look')}
            prominent
          />
        ))}
      </Stack>
    </section>
  );
}

function WaitingRow({
  id,
  name,
  text,
  label,
  action,
  prominent = false,
}: {
  id: string;
  name: string;
  text: string;
  label: string;
  action: string;
  prominent?: boolean;
}) {
  return (
    <article className="panel" style={{ padding: '10px 14px' }} aria-label={name}>
      <Group justify="space-between" gap="sm">
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group gap={8}>
            <Text fw={600}>{name}</Text>
            <Badge size="sm" variant="light" color={prominent ? 'orange' : 'blue'} tt="none">
              {label}
            </Badge>
          </Group>
          <Text size="xs" className="muted" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
            {text}
          </Text>
        </div>
        <ButtonLink
          to="/tools/imports/$operationId"
          params={{ operationId: id }}
          size="xs"
          variant={prominent ? 'filled' : 'default'}
          rightSection={<IconArrowRight size={14} aria-hidden />}
        >
          {action}
        </ButtonLink>
      </Group>
    </article>
  );
}

function ServerCard({ server }: { server: McpServer }) {
  const { t, i18n } = useTranslation();
  const action = useServerAction();
  const tier = tierOf(server);
  const operated = isOperated(server);
  const { language } = i18n;
  const Icon = server.transport === 'stdio' ? IconPlugConnected : IconWorld;
  const figures: [string, string][] = [
    [t('tools.figure.tools'), String(server.tools)],
    [t('tools.figure.tokens'), number(server.prompt_tokens, language, 0)],
    ...(operated
      ? ([
          [t('tools.figure.memory'), server.memory_bytes === null ? '–' : bytes(server.memory_bytes, language)],
          [
            t('tools.figure.calls'),
            server.call_ms === null
              ? '–'
              : `${duration(server.call_ms.p50, language)} / ${duration(server.call_ms.p99, language)}`,
          ],
          [t('tools.figure.restarts'), String(server.restarts)],
        ] as [string, string][])
      : []),
  ];
  return (
    <article className="panel tool-card" aria-label={server.name}>
      <Group wrap="nowrap" align="flex-start" gap="md">
        <span className="tool-icon" data-state={server.state} aria-hidden>
          <Icon size={18} />
        </span>
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group gap={8}>
            <AnchorLink
              to="/tools/servers/$name"
              params={{ name: server.name }}
              className="tool-link"
              c="var(--mantine-color-text)"
              fw={600}
            >
              {server.title}
            </AnchorLink>
            <StateBadge state={server.state} />
            {tier && <TierBadge tier={tier} />}
            {server.quarantined + server.quarantined_definitions > 0 && (
              <Badge
                size="sm"
                color="orange"
                variant="light"
                tt="none"
                leftSection={<IconAlertTriangle size={12} aria-hidden />}
              >
                {t('tools.waiting.definitions', { value: server.quarantined + server.quarantined_definitions })}
              </Badge>
            )}
          </Group>
          <Text size="xs" className="muted" lineClamp={1} style={{ overflowWrap: 'anywhere' }}>
            {[server.source?.location, shortVersion(server.source?.version ?? null)].filter(Boolean).join(' · ')}
          </Text>
        </div>
        {operated && (
          <Switch
            className="tool-switch"
            aria-label={t('tools.enabled.of', { name: server.name })}
            checked={server.enabled}
            disabled={action.isPending}
            onChange={() => action.mutate({ name: server.name, action: server.enabled ? 'disable' : 'enable' })}
          />
        )}
      </Group>
      <SimpleGrid
        component="dl"
        cols={{ base: 3, sm: 5 }}
        spacing="xs"
        verticalSpacing={4}
        mt="sm"
        className="tool-figures"
      >
        {figures.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="figure">{value}</dd>
          </div>
        ))}
      </SimpleGrid>
      {server.last_error && server.state !== 'disabled' && (
        <Text
          size="xs"
          c="var(--mantine-color-red-light-color)"
          mt="xs"
          lineClamp={2}
          style={{ overflowWrap: 'anywhere' }}
        >
          {server.last_error.message}
        </Text>
      )}
    </article>
  );
}

async function exportServers(): Promise<void> {
  const response = await send('/mcp/export');
  saveFile(new Blob([JSON.stringify(await response.json(), null, 2)]), 'mcp.json');
}
