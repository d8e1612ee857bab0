// Where a server came from, what speaks for it, and the versions one can go back to.
import { Anchor, Code, Stack, Table, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { moment } from '../../lib/format';
import type { McpServer } from './api/get-servers';
import { shortVersion } from './short-version';

export function ServerOrigin({
  server,
  former,
}: {
  server: McpServer;
  former: readonly { version_id: string; version: string | null; created_at: string }[];
}) {
  const { t, i18n } = useTranslation();
  const time = (instant: string) => moment(instant, i18n.language);
  const endpoint = `${location.origin}/mcp/${server.name}`;
  const rows: [string, React.ReactNode][] = [
    ...(server.source
      ? ([
          [t('tools.origin.kind'), t(`tools.source.${server.source.kind}`, { defaultValue: server.source.kind })],
          [t('tools.origin.location'), <Code key="location">{server.source.location}</Code>],
          [
            t('tools.origin.version'),
            server.source.version ? <Code key="version">{server.source.version}</Code> : t('tools.origin.unpinned'),
          ],
        ] as [string, React.ReactNode][])
      : []),
    [t('tools.origin.name'), <Code key="name">{server.name}</Code>],
    [t('tools.origin.says'), server.server_info ? `${server.server_info.name} ${server.server_info.version}` : '–'],
    [t('tools.origin.protocol'), server.protocol_version ?? '–'],
    [t('tools.origin.listed'), server.listed_at ? time(server.listed_at) : '–'],
    [t('tools.origin.gateway'), <Code key="gateway">{endpoint}</Code>],
  ];
  return (
    <Stack gap="lg">
      <Table className="panel" verticalSpacing="xs" horizontalSpacing="md" aria-label={t('tools.origin')}>
        <Table.Tbody>
          {rows.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th w={180} fw={500} scope="row">
                {label}
              </Table.Th>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <section aria-labelledby="former">
        <Title order={2} size="h5" id="former">
          {t('tools.former')}
        </Title>
        <Text size="sm" className="muted" mb="xs">
          {former.length === 0 ? t('tools.former.none') : t('tools.former.lead')}
        </Text>
        <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
          {former.map(({ version_id: id, version, created_at: at }) => (
            <Text key={id} component="li" size="sm">
              <Code>{shortVersion(version) ?? id}</Code> · {t('tools.former.since', { time: time(at) })}
            </Text>
          ))}
        </Stack>
      </section>
      <div>
        <Text size="xs" className="muted">
          {t('tools.origin.gateway.about')}
        </Text>
        <Anchor size="xs" href={`/api/v1/mcp/servers/${encodeURIComponent(server.name)}/types`} target="_blank">
          {t('tools.origin.types')}
        </Anchor>
      </div>
    </Stack>
  );
}
