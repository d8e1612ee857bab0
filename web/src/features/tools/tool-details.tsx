// One tool, opened: what it says of itself, who may call it, its schema, and trying it.
import { Code, Group, SimpleGrid, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeBlock } from '../../components/code-block';
import { CopyText } from '../../components/copy-text';
import { visibleText } from '../../lib/visible-text';
import type { CallTool } from './api/call-tool';
import type { Schema } from './schema-form';
import { TryTool } from './try-tool';

interface ToolDetailsProps {
  /** As a model calls it. */
  name: string | null;
  description: string;
  badges?: ReactNode;
  permission: ReactNode;
  schemas: readonly { title: string; schema: Schema }[];
  tryIt: { tool: string; schema: Schema; call: CallTool } | null;
  /** Why it cannot be tried. */
  why: string;
}

export function ToolDetails({ name, description, badges, permission, schemas, tryIt, why }: ToolDetailsProps) {
  const { t } = useTranslation();
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
      <Stack gap="md" style={{ minWidth: 0 }}>
        <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {visibleText(description) || t('tools.undescribed')}
        </Text>
        {badges}
        {name !== null && (
          <Group gap={6}>
            <Text size="xs" className="muted">
              {t('tools.calledAs')}
            </Text>
            <Code>{name}</Code>
            <CopyText value={name}>
              {({ copied, copy }) => (
                <UnstyledButton onClick={copy} aria-label={`${t('chat.copy')} ${name}`} p={4} lh={0}>
                  {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
                </UnstyledButton>
              )}
            </CopyText>
          </Group>
        )}
        {permission}
        <Schemas schemas={schemas} />
      </Stack>
      <div className="try-box">
        {tryIt ? (
          <TryTool key={JSON.stringify(tryIt.schema)} {...tryIt} />
        ) : (
          <Text size="sm" className="muted">
            {why}
          </Text>
        )}
      </div>
    </SimpleGrid>
  );
}

function Schemas({ schemas }: { schemas: ToolDetailsProps['schemas'] }) {
  return schemas.map(({ title, schema }) => (
    <details key={title} className="schema-details">
      <summary>{title}</summary>
      <CodeBlock code={visibleText(JSON.stringify(schema, null, 2))} language="json" />
    </details>
  ));
}
