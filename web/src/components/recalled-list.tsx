// What an answer knew beyond its question: memories and lessons with their source, and what did not fit.
import { Badge, Group, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { number } from '../lib/format';
import type { ContextReport } from '../lib/requests';
import { Excerpt } from './excerpt';

export function RecalledList({ context }: { context: ContextReport }) {
  const { t, i18n } = useTranslation();
  const entries = [...context.memories, ...context.lessons];
  return (
    <Stack gap="xs">
      {entries.map((entry) => (
        <div key={entry.id}>
          <Group gap={6} wrap="nowrap">
            {entry.kind && (
              <Badge size="xs" variant="light" tt="none">
                {t(`memory.kind.${entry.kind}`, { defaultValue: entry.kind })}
              </Badge>
            )}
            <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
              {entry.source === null
                ? t('recalled.forgotten')
                : t(`memory.source.${entry.source}`, { defaultValue: entry.source })}
            </Text>
          </Group>
          {entry.text && <Excerpt text={entry.text} />}
        </div>
      ))}
      {context.dropped.map(({ part, tokens }) => (
        <Text key={part} size="xs">
          {t('recalled.dropped', {
            part: t(`recalled.part.${part}`, { defaultValue: part }),
            value: number(tokens, i18n.language, 0),
          })}
        </Text>
      ))}
      {context.degraded && (
        <Text size="xs" className="muted">
          {context.degraded === 'lexical_only' ? t('memory.lexical') : context.degraded}
        </Text>
      )}
    </Stack>
  );
}
