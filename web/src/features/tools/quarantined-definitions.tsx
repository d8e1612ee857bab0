// Prompts, resources and instructions of a server whose words are new or have changed: the difference, and a yes that is bound
// to exactly these words, to one of them or to all that are shown.
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { visibleText } from '../../lib/visible-text';
import { type McpDefinition, useApproveDefinitions } from './api/get-definitions';
import { DefinitionDiff } from './definition-diff';

const SHOWN = 50;

export function QuarantinedDefinitions({
  server,
  definitions,
}: {
  server: string;
  definitions: readonly McpDefinition[];
}) {
  const { t } = useTranslation();
  const approve = useApproveDefinitions(server);
  const shown = definitions.slice(0, SHOWN);
  return (
    <section className="panel attention" aria-labelledby="quarantined-definitions">
      <Group justify="space-between" mb={4}>
        <Group gap={8} wrap="nowrap">
          <IconAlertTriangle size={18} aria-hidden />
          <Title order={2} size="h5" id="quarantined-definitions">
            {t('tools.definitions.waiting', { value: definitions.length })}
          </Title>
        </Group>
        {shown.length > 1 && (
          <Button size="xs" variant="default" loading={approve.isPending} onClick={() => approve.mutate(shown)}>
            {t('tools.definitions.approve.shown', { value: shown.length })}
          </Button>
        )}
      </Group>
      <Text size="sm" mb="md">
        {t('tools.definitions.about')}
      </Text>
      <Stack gap="sm">
        {shown.map((definition) => (
          <article
            key={`${definition.kind} ${definition.name}`}
            className="attention-item"
            aria-label={visibleText(definition.name)}
          >
            <Group justify="space-between" mb="xs">
              <div style={{ minWidth: 0 }}>
                <Text fw={600} size="sm" style={{ overflowWrap: 'anywhere' }}>
                  {t(`tools.definitions.kind.${definition.kind}`)}
                  {definition.kind !== 'instructions' && (
                    <Text span ff="monospace" fw={600} size="sm">
                      {` ${visibleText(definition.name)}`}
                    </Text>
                  )}
                </Text>
                <Text size="xs" className="muted">
                  {t(definition.approved_hash === null ? 'tools.quarantined.new' : 'tools.quarantined.changed')}
                </Text>
              </div>
              <Button
                size="xs"
                loading={approve.isPending}
                aria-label={t('tools.quarantined.approve.of', { tool: visibleText(definition.name) })}
                onClick={() => approve.mutate([definition])}
              >
                {t('tools.quarantined.approve')}
              </Button>
            </Group>
            <Stack gap="xs">
              <DefinitionDiff changes={definition.changes} />
            </Stack>
          </article>
        ))}
      </Stack>
    </section>
  );
}
