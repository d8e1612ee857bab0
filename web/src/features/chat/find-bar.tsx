// The bar that finds words in the open conversation.
import { ActionIcon, CloseButton, Group, Text, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Message } from './api/sessions';
import { unmark, useFind } from './use-find';

export function FindBar({
  messages,
  readingOlder,
  onClose,
}: {
  messages: readonly Message[];
  /** There are earlier ones, on their way here. */
  readingOlder: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [query, setQuery] = useState('');
  const find = useFind(messages, query);
  useEffect(() => unmark, []);
  const found =
    query.trim() === ''
      ? ''
      : find.count === 0
        ? t(readingOlder ? 'find.loading' : 'find.none')
        : t('find.place', { at: find.at, of: find.count });
  return (
    <Group
      role="search"
      aria-label={t('find.title')}
      className="find-bar panel"
      gap={4}
      wrap="nowrap"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <TextInput
        size="xs"
        flex={1}
        miw={0}
        autoFocus
        aria-label={t('find.field')}
        placeholder={t('find.field')}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={query}
        maxLength={200}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          find.fromNewest();
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          if (event.shiftKey) find.next();
          else find.previous();
        }}
      />
      <Text size="xs" className="muted figure find-count" role="status">
        {found}
      </Text>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={t('find.previous')}
        title={t('find.previous')}
        disabled={find.count === 0}
        onClick={find.previous}
      >
        <IconChevronUp size={16} aria-hidden />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={t('find.next')}
        title={t('find.next')}
        disabled={find.count === 0}
        onClick={find.next}
      >
        <IconChevronDown size={16} aria-hidden />
      </ActionIcon>
      <CloseButton size="sm" aria-label={t('action.close')} onClick={onClose} />
    </Group>
  );
}
