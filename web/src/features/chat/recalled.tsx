// Under an answer: how much was recalled for it, opened to what that was.
import { Badge, Popover, ScrollArea, Text, UnstyledButton } from '@mantine/core';
import { IconBrain } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { RecalledList } from '../../components/recalled-list';
import type { ContextReport } from '../../lib/requests';

export function Recalled({ context }: { context: ContextReport }) {
  const { t } = useTranslation();
  const count = context.memories.length + context.lessons.length;
  const lost = context.dropped.length > 0;
  if (count === 0 && !lost) return null;
  return (
    <Popover width={340} position="top-start" withArrow shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className="badge-button">
          <Badge
            variant="light"
            color={lost ? 'orange' : 'gray'}
            size="sm"
            tt="none"
            leftSection={<IconBrain size={12} aria-hidden />}
            styles={{ root: { cursor: 'pointer' } }}
          >
            {t('recalled.count', { value: count })}
          </Badge>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('recalled.title')}>
        <Text size="sm" fw={600} mb={6}>
          {t('recalled.title')}
        </Text>
        <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0 }}>
          <RecalledList context={context} />
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
