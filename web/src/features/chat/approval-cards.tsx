// Asks the person whether a tool may be called: which, with what, and what could come of it.
import { Alert, Badge, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { type Approval, type Decision, useApprovals, useDecision } from './api/approvals';

const DECISIONS: readonly Decision[] = ['once', 'session', 'always', 'deny'];

export function ApprovalCards({ sessionId }: { sessionId: string }) {
  const { data = [] } = useApprovals(sessionId);
  return (
    <Stack gap="sm">
      {data.toReversed().map((approval) => (
        <ApprovalCard key={approval.approval_id} approval={approval} />
      ))}
    </Stack>
  );
}

function ApprovalCard({ approval }: { approval: Approval }) {
  const { t } = useTranslation();
  const decision = useDecision();
  const risks = [
    approval.read_only ? 'reads' : 'changes',
    ...(approval.egress ? ['egress'] : []),
    ...(approval.labels.length > 0 ? ['sensitive'] : []),
    ...(approval.reason === 'definition_changed' ? ['changed'] : []),
  ];
  return (
    <Alert
      icon={<IconHandStop size={18} aria-hidden />}
      color="yellow"
      styles={{ label: { color: 'var(--mantine-color-text)' } }}
      title={t('approval.title', { tool: approval.tool })}
      role="group"
      aria-label={t('approval.title', { tool: approval.tool })}
    >
      <Stack gap="xs">
        <Group gap={6}>
          {risks.map((risk) => (
            <Badge key={risk} size="sm" variant="default" tt="none">
              {t(`approval.risk.${risk}`)}
            </Badge>
          ))}
        </Group>
        <Code block style={{ maxHeight: 220, overflow: 'auto', whiteSpace: 'pre-wrap' }}>
          {JSON.stringify(approval.arguments, null, 2)}
        </Code>
        {decision.isError && (
          <Text size="sm" c="var(--mantine-color-red-light-color)" role="alert">
            {decision.error.message}
          </Text>
        )}
        <Group gap="xs">
          {DECISIONS.map((each) => (
            <Button
              key={each}
              size="xs"
              variant={each === 'once' ? 'filled' : 'default'}
              disabled={decision.isPending}
              onClick={() => decision.mutate({ id: approval.approval_id, decision: each })}
            >
              {t(`approval.${each}`)}
            </Button>
          ))}
        </Group>
      </Stack>
    </Alert>
  );
}
