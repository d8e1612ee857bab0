// The faces of a list that is not full: loading, failed, empty.
import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import { IconCloudOff, IconMoodEmpty } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

export function Loading() {
  const { t } = useTranslation();
  return (
    <Center p="xl" role="status" aria-label={t('state.loading')}>
      <Loader size="sm" />
    </Center>
  );
}

export function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <Center p="lg" role="alert">
      <Stack align="center" gap="xs">
        <IconCloudOff aria-hidden stroke={1.5} />
        <Text size="sm">{t('state.failed')}</Text>
        <Text size="xs" className="muted" ta="center">
          {error instanceof Error ? error.message : String(error)}
        </Text>
        <Button size="xs" variant="default" onClick={onRetry}>
          {t('state.retry')}
        </Button>
      </Stack>
    </Center>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return (
    <Center p="lg">
      <Stack align="center" gap={6} className="muted">
        <IconMoodEmpty aria-hidden stroke={1.4} />
        <Text size="sm" ta="center">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}
