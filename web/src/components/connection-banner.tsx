// Above every page while the server does not answer. What was typed stays; what is missed comes when it is back.
import { Button, Group, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { retryConnection, useConnectionLost } from '../lib/connection';

export function ConnectionBanner() {
  const { t } = useTranslation();
  const lost = useConnectionLost();
  return (
    // Always there, so that what comes into it is read out.
    <div aria-live="polite" className="connection" data-lost={lost}>
      {lost && (
        <Group gap="sm" wrap="nowrap" justify="center">
          <IconPlugConnectedX size={17} aria-hidden style={{ flex: 'none' }} />
          <Text size="sm">{t('connection.lost')}</Text>
          <Button size="compact-xs" variant="default" onClick={retryConnection} style={{ flex: 'none' }}>
            {t('connection.retry')}
          </Button>
        </Group>
      )}
    </div>
  );
}
