// How many conversations are picked out, and what can be done with all of them.
import { ActionIcon, Button, Checkbox, Group, Text, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Session } from './api/sessions';

export function PickedSessions({
  shown,
  picked,
  onPick,
  onDelete,
}: {
  shown: readonly Session[];
  picked: ReadonlySet<string>;
  /** Undefined ends it. */
  onPick: (picked: ReadonlySet<string> | undefined) => void;
  onDelete: (sessions: readonly Session[]) => void;
}) {
  const { t } = useTranslation();
  const chosen = shown.filter(({ session_id }) => picked.has(session_id));
  const all = chosen.length === shown.length;
  return (
    <Group gap={6} wrap="nowrap" role="group" aria-label={t('sessions.select')} mih={36}>
      <Tooltip label={t('sessions.select.all')}>
        <Checkbox
          size="xs"
          ml={10}
          checked={all}
          indeterminate={chosen.length > 0 && !all}
          aria-label={t('sessions.select.all')}
          onChange={() => onPick(new Set(all ? [] : shown.map(({ session_id }) => session_id)))}
        />
      </Tooltip>
      <Text size="xs" className="muted figure" flex={1} role="status">
        {t('sessions.selected', { count: chosen.length })}
      </Text>
      <ActionIcon
        variant="light"
        color="red"
        size={30}
        aria-label={t('sessions.delete')}
        title={t('sessions.delete')}
        disabled={chosen.length === 0}
        onClick={() => onDelete(chosen)}
      >
        <IconTrash size={15} aria-hidden />
      </ActionIcon>
      <Button size="compact-sm" variant="default" onClick={() => onPick(undefined)}>
        {t('sessions.select.done')}
      </Button>
    </Group>
  );
}
