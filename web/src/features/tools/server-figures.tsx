// The figures of one server: its process, its calls, and what its tools cost in a prompt.
import { SimpleGrid, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { bytes, duration, number } from '../../lib/format';
import type { McpServer } from './api/get-servers';

export function ServerFigures({ server }: { server: McpServer }) {
  const { t, i18n } = useTranslation();
  const { language } = i18n;
  const calls = server.call_ms;
  const figures = [
    ...(server.transport === 'stdio'
      ? [
          {
            label: t('tools.figure.process'),
            value: server.pid === null ? '–' : String(server.pid),
            note:
              server.pid === null
                ? t('tools.figure.process.none')
                : t('tools.figure.restarts.note', { value: server.restarts }),
          },
          {
            label: t('tools.figure.memory'),
            value: server.memory_bytes === null ? '–' : bytes(server.memory_bytes, language),
            note: t('tools.figure.memory.note'),
          },
        ]
      : []),
    {
      label: t('tools.figure.calls'),
      value: calls === null ? '–' : `${duration(calls.p50, language)} / ${duration(calls.p99, language)}`,
      note: calls === null ? t('tools.figure.calls.none') : t('tools.figure.calls.note', { value: calls.count }),
    },
    {
      label: t('tools.figure.tokens'),
      value: number(server.prompt_tokens, language, 0),
      note: t('tools.figure.tokens.note', { value: server.tools }),
    },
  ];
  return (
    <SimpleGrid component="dl" cols={{ base: 2, md: figures.length }} spacing="sm" m={0}>
      {figures.map(({ label, value, note }) => (
        <div key={label} className="panel figure-card">
          <Text component="dt" size="xs" className="muted">
            {label}
          </Text>
          <dd>
            <Text component="span" display="block" fw={600} size="lg" className="figure">
              {value}
            </Text>
            <Text component="span" display="block" size="xs" className="muted">
              {note}
            </Text>
          </dd>
        </div>
      ))}
    </SimpleGrid>
  );
}
