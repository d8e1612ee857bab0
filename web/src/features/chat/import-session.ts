// A conversation out of a file that an export made.
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ExportedSession, importSession } from './api/sessions';
import { newSessionId } from './new-session-id';

const FILE_BYTES_MAX = 100_000_000;

export function useImportSession(): (file: File) => Promise<void> {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const read = async (file: File) => {
    if (file.size > FILE_BYTES_MAX) return undefined;
    try {
      return ExportedSession.safeParse(JSON.parse(await file.text())).data;
    } catch {
      return undefined;
    }
  };
  return async (file) => {
    const exported = await read(file);
    if (!exported) {
      notifications.show({ color: 'red', message: t('sessions.import.unreadable') });
      return;
    }
    const id = newSessionId();
    try {
      await importSession(exported, id);
      notifications.show({ message: t('sessions.imported', { count: exported.messages.length }) });
      void queries.invalidateQueries({ queryKey: ['sessions', 'list'] });
      void navigate({ to: '/chat/$sessionId', params: { sessionId: id } });
    } catch (error) {
      notifications.show({ color: 'red', message: (error as Error).message });
    }
  };
}
