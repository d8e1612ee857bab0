// Asks the person whether a tool may be called: which, with what, and what could come of it.
import { Alert, Badge, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ClaimedBadges } from '../../components/claimed-badges';
import { visibleText } from '../../lib/visible-text';
import { type Approval, type Decision, useApprovals, useDecision } from './api/approvals';
import { ApprovalArguments } from './approval-arguments';

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
  const title = visibleText(approval.title);
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
      title={t('approval.title', { tool: title })}
      role="group"
      aria-label={t('approval.title', { tool: title })}
    >
      <Stack gap="xs">
        <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
          {approval.source?.kind === 'mcp' &&
            `${t('approval.server', { server: visibleText(approval.source.title ?? approval.source.id) })} · `}
          <Code>{approval.tool}</Code>
        </Text>
        {approval.description && (
          <Text size="sm" lineClamp={3} style={{ overflowWrap: 'anywhere' }}>
            {approval.source?.kind === 'mcp' && `${t('approval.describes')} `}
            {visibleText(approval.description)}
          </Text>
        )}
        <Group gap={6}>
          {risks.map((risk) => (
            <Badge key={risk} size="sm" variant="default" tt="none">
              {t(`approval.risk.${risk}`)}
            </Badge>
          ))}
        </Group>
        {approval.claims && <ClaimedBadges claims={approval.claims} />}
        <ApprovalArguments approval={approval} />
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
