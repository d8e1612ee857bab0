// A message that was sent, while it is changed: Enter sends it again, Esc leaves it as it was.
import { Button, Group, Textarea } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export function EditMessage({
  text,
  onChange,
  onCancel,
  onResend,
}: {
  text: string;
  onChange: (text: string) => void;
  onCancel: () => void;
  onResend: () => void;
}) {
  const { t } = useTranslation();
  const sendable = text.trim() !== '';
  return (
    <>
      <Textarea
        autosize
        minRows={2}
        maxRows={12}
        value={text}
        dir="auto"
        aria-label={t('chat.edit')}
        autoFocus
        onFocus={({ currentTarget: field }) => field.setSelectionRange(field.value.length, field.value.length)}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === 'Escape') {
            event.stopPropagation();
            onCancel();
          } else if (event.key === 'Enter' && !event.shiftKey && sendable) {
            event.preventDefault();
            onResend();
          }
        }}
      />
      <Group justify="flex-end" mt="xs" gap="xs">
        <Button size="xs" variant="default" onClick={onCancel}>
          {t('action.cancel')}
        </Button>
        <Button size="xs" disabled={!sendable} onClick={onResend}>
          {t('chat.resend')}
        </Button>
      </Group>
    </>
  );
}
