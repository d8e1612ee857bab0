// Why there is no answer, and what can be done about it.
import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ErrorAdvice } from '../../components/error-advice';

export function FailedAnswer({ code, text }: { code: string | null; text: string }) {
  const { t } = useTranslation();
  return (
    <Alert
      color="red"
      variant="light"
      p="xs"
      mt={4}
      role="alert"
      icon={<IconAlertTriangle size={16} aria-hidden />}
      styles={{ message: { color: 'var(--mantine-color-red-light-color)' } }}
    >
      {t('chat.failed', { reason: text })} <ErrorAdvice code={code} />
    </Alert>
  );
}
