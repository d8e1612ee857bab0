// Deletes one conversation or several, after asking.
import { notifications } from '@mantine/notifications';
import { useTranslation } from 'react-i18next';
import { DeleteDialog } from '../../components/delete-dialog';
import { type Session, useDeleteSessions } from './api/sessions';
import { keepDraft } from './drafts';

export function DeleteSessions({
  sessions,
  onClose,
  onDeleted,
}: {
  sessions: readonly Session[];
  onClose: () => void;
  onDeleted: () => void;
}) {
  const { t } = useTranslation();
  const remove = useDeleteSessions();
  const [first] = sessions;
  const count = sessions.length;
  return (
    <DeleteDialog
      title={t('sessions.delete')}
      text={
        count === 1 ? t('sessions.delete.sure', { title: first?.title ?? '' }) : t('sessions.delete.several', { count })
      }
      pending={remove.isPending}
      error={remove.error}
      onDelete={() =>
        remove.mutate(
          sessions.map(({ session_id }) => session_id),
          {
            onSuccess: () => {
              for (const { session_id } of sessions) keepDraft(session_id, '');
              if (count > 1) notifications.show({ message: t('sessions.deleted', { count }) });
              onDeleted();
              onClose();
            },
          },
        )
      }
      onClose={onClose}
    />
  );
}
