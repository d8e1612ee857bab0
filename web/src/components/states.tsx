// What a list shows when it has nothing else to show.
import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import { IconCloudOff, type IconProps, IconSparkles } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../lib/http';
import { ErrorAdvice } from './error-advice';

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
        <Text size="xs" className="muted" ta="center" style={{ overflowWrap: 'anywhere' }}>
          {error instanceof Error ? error.message : String(error)}
        </Text>
        <Button size="xs" variant="default" onClick={onRetry}>
          {t('state.retry')}
        </Button>
        {error instanceof ApiError && <ErrorAdvice code={error.code} />}
      </Stack>
    </Center>
  );
}

/** `children` says what is not there yet, `action` how it comes to be. */
export function Empty({
  icon: Icon = IconSparkles,
  action,
  children,
}: {
  icon?: ComponentType<IconProps>;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Center p="lg">
      <Stack align="center" gap={8} maw={420}>
        <span className="empty-icon">
          <Icon size={20} aria-hidden stroke={1.6} />
        </span>
        <Text size="sm" ta="center" className="muted">
          {children}
        </Text>
        {action}
      </Stack>
    </Center>
  );
}
