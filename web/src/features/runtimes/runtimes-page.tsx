// The engines that answer: health and its history, start and stop, logs, the switch, and what is in memory.
import { Badge, Button, Code, Group, Modal, ScrollArea, Stack, Text, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../../components/page-header';
import { Empty, Failed, Loading } from '../../components/states';
import { engineAbout, engineName } from '../../lib/engines';
import { clock } from '../../lib/format';
import { type LlmServer, useServerAction, useServerLogs, useServers } from './api/get-servers';
import { LoadedModels } from './loaded-models';
import { SchedulerPanel } from './scheduler-panel';

const COLORS: Record<string, string> = { online: 'teal', ready: 'teal', degraded: 'orange', offline: 'red' };

export function RuntimesPage() {
  const { t } = useTranslation();
  const servers = useServers();
  const [logsOf, setLogsOf] = useState<string | null>(null);
  return (
    <div className="page">
      <PageHeader title={t('runtimes.title')} lead={t('runtimes.lead')} />
      <Stack gap="lg">
        {servers.isPending && <Loading />}
        {servers.isError && <Failed error={servers.error} onRetry={() => void servers.refetch()} />}
        <Stack>
          {servers.data?.map((server) => (
            <ServerCard key={server.name} server={server} onLogs={setLogsOf} />
          ))}
        </Stack>
        <LoadedModels />
        <SchedulerPanel />
      </Stack>
      <LogsDialog name={logsOf} onClose={() => setLogsOf(null)} />
    </div>
  );
}

function ServerCard({ server, onLogs }: { server: LlmServer; onLogs: (name: string) => void }) {
  const { t, i18n } = useTranslation();
  const action = useServerAction();
  const pending = action.isPending ? action.variables.action : null;
  return (
    <article className="panel" style={{ padding: 16 }}>
      <Group justify="space-between" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Group gap={8}>
            <Text fw={600}>{engineName(t, server.name, server.display_name)}</Text>
            <Badge size="sm" variant="dot" tt="none" color={COLORS[server.health ?? ''] ?? 'gray'}>
              {t(`system.state.${server.health ?? server.status}`, { defaultValue: server.health ?? server.status })}
            </Badge>
            {server.active && (
              <Badge size="sm" tt="none">
                {t('models.active')}
              </Badge>
            )}
          </Group>
          <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
            {[
              server.endpoint ?? engineAbout(t, server.name, server.description),
              server.latency_ms === null || server.latency_ms === undefined ? null : `${server.latency_ms} ms`,
              server.pid === null ? null : `PID ${server.pid}`,
              server.error_message,
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
          {server.members?.map((member) => (
            <Group key={member.endpoint} gap={8} mt={4}>
              <Badge size="xs" variant="dot" tt="none" color={member.state === 'excluded' ? 'red' : 'teal'}>
                {t(`runtimes.member.${member.state}`)}
              </Badge>
              <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
                {[member.endpoint, t('runtimes.member.running', { number: member.in_flight }), member.last_error]
                  .filter(Boolean)
                  .join(' · ')}
              </Text>
            </Group>
          ))}
          {server.history.length > 1 && (
            <Group gap={2} mt={8} role="img" aria-label={t('runtimes.history')}>
              {server.history.slice(-40).map((health) => (
                <Tooltip
                  key={health.at}
                  label={`${clock(health.at, i18n.language)} ${t(`system.state.${health.status}`, { defaultValue: health.status })}`}
                >
                  <span
                    style={{
                      width: 5,
                      height: 16,
                      borderRadius: 2,
                      background: `var(--mantine-color-${COLORS[health.status] ?? 'gray'}-6)`,
                    }}
                  />
                </Tooltip>
              ))}
            </Group>
          )}
        </div>
        <Group gap={6}>
          {!server.active && (
            <Button
              size="compact-sm"
              loading={pending === 'use'}
              onClick={() => action.mutate({ name: server.name, action: 'use' })}
            >
              {t('models.use')}
            </Button>
          )}
          {(['start', 'stop', 'restart'] as const)
            .filter((verb) => server.supports[verb])
            .map((verb) => (
              <Button
                key={verb}
                size="compact-sm"
                variant="default"
                loading={pending === verb}
                onClick={() => action.mutate({ name: server.name, action: verb })}
              >
                {t(`runtimes.${verb}`)}
              </Button>
            ))}
          {server.has_log ? (
            <Button size="compact-sm" variant="subtle" onClick={() => onLogs(server.name)}>
              {t('runtimes.logs')}
            </Button>
          ) : (
            !server.capabilities.is_in_process && (
              <Text size="xs" className="muted">
                {t('runtimes.logs.elsewhere')}
              </Text>
            )
          )}
        </Group>
      </Group>
    </article>
  );
}

function LogsDialog({ name, onClose }: { name: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const logs = useServerLogs(name);
  return (
    <Modal
      opened={name !== null}
      onClose={onClose}
      size="xl"
      title={`${t('runtimes.logs')}: ${name ?? ''}`}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {logs.isPending && <Loading />}
      {logs.isError && <Failed error={logs.error} onRetry={() => void logs.refetch()} />}
      {logs.data === '' && <Empty>{t('runtimes.logs.empty')}</Empty>}
      {logs.data && (
        <ScrollArea h={420} viewportProps={{ tabIndex: 0 }}>
          <Code block>{logs.data}</Code>
        </ScrollArea>
      )}
    </Modal>
  );
}
