// What a task is doing before and while it answers: how its work is divided, and the last line of its log.
import { Badge, Collapse, Group, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { logText } from '../../lib/log-text';
import { Divided } from './divided-work';
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
                {logText(t, last)}
              </Text>
              <IconChevronDown size={14} aria-hidden className="muted" />
            </Group>
          </UnstyledButton>
        )}
      </Group>
      <Collapse expanded={opened}>
        <Text component="pre" size="xs" className="muted task-log">
          {live.logs.map((line) => logText(t, line)).join('\n')}
        </Text>
      </Collapse>
      <Divided work={live.work} parts={live.parts} />
    </div>
  );
}
