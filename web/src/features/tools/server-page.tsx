// One MCP server: its figures, what waits for a person, its tools to try, what it wrote, and where it came from.
import { Alert, Badge, Group, Stack, Tabs, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconArrowLeft } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { AnchorLink } from '../../components/links';
import { ScrollRow } from '../../components/scroll-row';
import { Failed, Loading } from '../../components/states';
import { moment } from '../../lib/format';
import { useDefinitions } from './api/get-definitions';
import { isOperated, type McpServer, useMcpServer, useServerTools } from './api/get-servers';
import { StateBadge, TierBadge, tierOf } from './badges';
import { QuarantinedDefinitions } from './quarantined-definitions';
import { QuarantinedTools } from './quarantined-tools';
import { ServerActions } from './server-actions';
import { ServerDefinitions } from './server-definitions';
import { ServerFigures } from './server-figures';
import { ServerLog } from './server-log';
import { ServerLogin } from './server-login';
import { ServerOrigin } from './server-origin';
import { ServerTools } from './server-tools';

export function ServerPage() {
  const { t } = useTranslation();
  const { name } = useParams({ from: '/tools/servers/$name' });
  const server = useMcpServer(name);
  return (
    <div className="page">
      <AnchorLink to="/tools" size="sm" className="back-link">
        <IconArrowLeft size={15} aria-hidden /> {t('tools.title')}
      </AnchorLink>
      {server.isPending && <Loading />}
      {server.isError && <Failed error={server.error} onRetry={() => void server.refetch()} />}
      {server.data && <Server server={server.data.server} former={server.data.former} />}
    </div>
  );
}

type Former = NonNullable<ReturnType<typeof useMcpServer>['data']>['former'];

function Server({ server, former }: { server: McpServer; former: Former }) {
  const { t, i18n } = useTranslation();
  const tools = useServerTools(server.name);
  const tier = tierOf(server);
  const definitions = useDefinitions(server.name);
  const operated = isOperated(server);
  const unread = definitions.data?.filter(({ state }) => state === 'quarantined') ?? [];
  const waiting = tools.data?.filter(({ state }) => state === 'quarantined') ?? [];
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
            {server.title}
          </Title>
          <Group gap={6} mt={4}>
            <StateBadge state={server.state} />
            {tier && <TierBadge tier={tier} />}
            {server.era && (
              <Badge size="sm" variant="default" tt="none">
                MCP {server.protocol_version}
              </Badge>
            )}
            {server.trusted && (
              <Badge size="sm" variant="light" color="blue" tt="none">
                {t('tools.trusted')}
              </Badge>
            )}
          </Group>
        </div>
        {operated && <ServerActions server={server} former={former} />}
      </Group>
      {operated && <ServerLogin server={server} />}
      {operated && <ServerFigures server={server} />}
      {server.last_error && (
        <Alert
          color="red"
          variant="light"
          icon={<IconAlertTriangle size={18} aria-hidden />}
          title={t('tools.lastError', { time: moment(server.last_error.at, i18n.language) })}
        >
          <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {server.last_error.message}
          </Text>
        </Alert>
      )}
      {waiting.length > 0 && <QuarantinedTools server={server.name} tools={waiting} />}
      {unread.length > 0 && <QuarantinedDefinitions server={server.name} definitions={unread} />}
      <Tabs defaultValue="tools" keepMounted={false}>
        <ScrollRow>
          <Tabs.List>
            <Tabs.Tab value="tools">{`${t('tools.figure.tools')} (${tools.data?.length ?? server.tools})`}</Tabs.Tab>
            {definitions.data && definitions.data.length > 0 && (
              <Tabs.Tab value="definitions">{`${t('tools.definitions')} (${definitions.data.length})`}</Tabs.Tab>
            )}
            {operated && server.transport === 'stdio' && <Tabs.Tab value="log">{t('tools.log')}</Tabs.Tab>}
            <Tabs.Tab value="origin">{t('tools.origin')}</Tabs.Tab>
          </Tabs.List>
        </ScrollRow>
        <Tabs.Panel value="tools" pt="md">
          {tools.isPending && <Loading />}
          {tools.isError && <Failed error={tools.error} onRetry={() => void tools.refetch()} />}
          {tools.data && <ServerTools server={server} tools={tools.data} />}
        </Tabs.Panel>
        <Tabs.Panel value="definitions" pt="md">
          {definitions.data && <ServerDefinitions definitions={definitions.data} />}
        </Tabs.Panel>
        <Tabs.Panel value="log" pt="md">
          <ServerLog name={server.name} />
        </Tabs.Panel>
        <Tabs.Panel value="origin" pt="md">
          <ServerOrigin server={server} former={former} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
