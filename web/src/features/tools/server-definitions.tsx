// What a server offers beside tools, in its own words: prompts, resources, templates of resources, instructions.
import { Badge, Group, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../components/states';
import { visibleText } from '../../lib/visible-text';
import type { McpDefinition } from './api/get-definitions';

const COLORS = { approved: 'teal', quarantined: 'orange', refused: 'red', gone: 'gray' } as const;
const SHOWN = 200;

export function ServerDefinitions({ definitions }: { definitions: readonly McpDefinition[] }) {
  const { t } = useTranslation();
  if (definitions.length === 0) return <Empty>{t('tools.definitions.none')}</Empty>;
  const groups = Map.groupBy(definitions, ({ kind }) => kind);
  return (
    <Stack gap="lg">
      {[...groups].map(([kind, own]) => (
        <section key={kind} aria-label={t(`tools.definitions.kind.${kind}`)}>
          <Title order={2} size="h5" mb="xs">
            {`${t(`tools.definitions.kind.${kind}`)} (${own.length})`}
          </Title>
          <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
            {own.slice(0, SHOWN).map((definition) => (
              <li key={definition.name} className="panel" style={{ padding: '8px 12px' }}>
                <Group gap={8}>
                  {kind !== 'instructions' && (
                    <Text size="sm" fw={600} ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                      {visibleText(definition.name)}
                    </Text>
                  )}
                  {definition.title && definition.title !== definition.name && (
                    <Text size="sm">{visibleText(definition.title)}</Text>
                  )}
                  {definition.state !== 'approved' && (
                    <Badge size="sm" variant="light" tt="none" color={COLORS[definition.state]}>
                      {t(`tools.tool.${definition.state}`)}
                    </Badge>
                  )}
                </Group>
                <Text size="xs" className="muted" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
                  {visibleText(definition.refused ?? definition.description)}
                </Text>
              </li>
            ))}
          </Stack>
        </section>
      ))}
    </Stack>
  );
}
