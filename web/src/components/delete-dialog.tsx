// Asks once more before something is deleted for good.
import { Button, Group, Modal, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export function DeleteDialog({
  title,
  text,
  pending,
  error,
  onDelete,
  onClose,
}: {
  title: string;
  text: string;
  pending: boolean;
  error: Error | null;
  onDelete: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={onClose} title={title} centered closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Text size="sm">{text}</Text>
      {error && (
        <Text size="sm" c="var(--mantine-color-red-light-color)">
          {error.message}
        </Text>
      )}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button color="red" loading={pending} onClick={onDelete}>
          {t('sessions.delete')}
        </Button>
      </Group>
    </Modal>
  );
}
