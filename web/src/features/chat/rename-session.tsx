// A conversation gets another name.
import { Button, Group, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Session, useChangeSession } from './api/sessions';

export function RenameDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const { t } = useTranslation();
  const rename = useChangeSession();
  const [title, setTitle] = useState(session.title);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('sessions.rename')}
      centered
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (title.trim()) rename.mutate({ id: session.session_id, title: title.trim() }, { onSuccess: onClose });
        }}
      >
        <TextInput
          label={t('sessions.name')}
          value={title}
          maxLength={200}
          data-autofocus
          onChange={(event) => setTitle(event.currentTarget.value)}
          error={rename.error?.message}
        />
        <Group justify="flex-end" mt="md">
          <Button type="submit" loading={rename.isPending} disabled={title.trim() === ''}>
            {t('action.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
