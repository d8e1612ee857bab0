// Tools whose definition is new or has changed: the difference, and a yes that is bound to exactly that definition.
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { visibleText } from '../../lib/visible-text';
import { type McpTool, useApproveTool } from './api/get-servers';
import { DefinitionDiff } from './definition-diff';

export function QuarantinedTools({ server, tools }: { server: string; tools: readonly McpTool[] }) {
  const { t } = useTranslation();
  const approve = useApproveTool(server);
  return (
    <section className="panel attention" aria-labelledby="quarantined">
      <Group gap={8} wrap="nowrap" mb={4}>
        <IconAlertTriangle size={18} aria-hidden />
        <Title order={2} size="h5" id="quarantined">
          {t('tools.quarantined', { value: tools.length })}
        </Title>
      </Group>
      <Text size="sm" mb="md">
        {t('tools.quarantined.about')}
      </Text>
      <Stack gap="sm">
        {tools.map((tool) => (
          <article key={tool.tool} className="attention-item" aria-label={tool.tool}>
            <Group justify="space-between" mb="xs">
              <div>
                <Text fw={600} ff="monospace" size="sm" style={{ overflowWrap: 'anywhere' }}>
                  {visibleText(tool.tool)}
                </Text>
                <Text size="xs" className="muted">
                  {t(tool.approved_hash === null ? 'tools.quarantined.new' : 'tools.quarantined.changed')}
                </Text>
              </div>
              <Button
                size="xs"
                loading={approve.isPending && approve.variables.tool === tool.tool}
                aria-label={t('tools.quarantined.approve.of', { tool: tool.tool })}
                onClick={() => approve.mutate(tool)}
              >
                {t('tools.quarantined.approve')}
              </Button>
            </Group>
            <Stack gap="xs">
              <DefinitionDiff changes={tool.changes} />
            </Stack>
          </article>
        ))}
      </Stack>
    </section>
  );
}
