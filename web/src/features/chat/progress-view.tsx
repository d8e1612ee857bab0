// What a task is doing before and while it answers: its plan with each step's state, or the last line of its log.
import { Badge, Collapse, Group, Loader, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconAlertTriangle,
  IconCheck,
  IconChevronDown,
  IconCircleDashed,
  IconPlayerSkipForward,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { PlanStep } from './answer-streams';
import type { LiveAnswer } from './live-answers';

export function TaskProgress({ live }: { live: LiveAnswer }) {
  const { t } = useTranslation();
  const [opened, { toggle }] = useDisclosure(false);
  if (live.mode === 'direct' && live.logs.length === 0) return null;
  const last = live.logs.at(-1);
  return (
    <div className="task-progress">
      <Group gap={8} wrap="nowrap">
        {live.intent && (
          <Badge size="sm" variant="light" tt="none">
            {t(`intent.${live.intent}`, { defaultValue: live.intent })}
          </Badge>
        )}
        {live.status === 'PENDING' && (
          <Badge size="sm" variant="default" tt="none">
            {t('chat.queued')}
          </Badge>
        )}
        {last && !live.done && (
          <UnstyledButton onClick={toggle} aria-expanded={opened} style={{ minWidth: 0, flex: 1 }}>
            <Group gap={4} wrap="nowrap">
              <Text size="xs" className="muted" truncate>
                {last}
              </Text>
              <IconChevronDown size={14} aria-hidden className="muted" />
            </Group>
          </UnstyledButton>
        )}
      </Group>
      <Collapse expanded={opened}>
        <Text component="pre" size="xs" className="muted task-log">
          {live.logs.join('\n')}
        </Text>
      </Collapse>
      {live.plan && <PlanView plan={live.plan} />}
      {live.plan && (live.planSource === 'words' || live.planSource === 'whole') && (
        <Text size="xs" className="muted" mt={4}>
          {t(`plan.source.${live.planSource}`)}
        </Text>
      )}
    </div>
  );
}

const ICONS = {
  waiting: <IconCircleDashed size={16} aria-hidden />,
  running: <Loader size={14} aria-hidden />,
  done: <IconCheck size={16} aria-hidden color="var(--mantine-color-teal-6)" />,
  failed: <IconAlertTriangle size={16} aria-hidden color="var(--mantine-color-red-6)" />,
  skipped: <IconPlayerSkipForward size={16} aria-hidden />,
} as const;

export function PlanView({ plan }: { plan: readonly PlanStep[] }) {
  const { t } = useTranslation();
  return (
    <ol className="plan" aria-label={t('plan.title')}>
      {plan.map((step) => (
        <li key={step.step} data-status={step.status}>
          <span role="img" aria-label={t(`plan.status.${step.status}`)}>
            {ICONS[step.status]}
          </span>
          <div style={{ minWidth: 0 }}>
            <Text size="sm">{step.instruction}</Text>
            <Text size="xs" className="muted">
              {[
                `${step.step} · ${step.agent.toLowerCase()}`,
                step.depends_on.length > 0 ? t('plan.after', { steps: step.depends_on.join(', ') }) : null,
              ]
                .filter(Boolean)
                .join(' · ')}
            </Text>
            {step.preview && (
              <Text size="xs" className="muted plan-preview" aria-hidden>
                {step.preview}
              </Text>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
