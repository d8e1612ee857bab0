// What stands in the place of a page that is not there, or that broke.
import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconMapOff } from '@tabler/icons-react';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../components/links';
import { usePageTitle } from '../lib/page-title';

export function NotFoundPage() {
  const { t } = useTranslation();
  usePageTitle(t('page.missing'));
  return (
    <Center p="xl" mih="60vh">
      <Stack align="center" gap="xs" maw={420}>
        <IconMapOff size={36} stroke={1.4} aria-hidden />
        <Title order={1} size="h3" ta="center">
          {t('page.missing')}
        </Title>
        <Text size="sm" className="muted" ta="center">
          {t('page.missing.text')}
        </Text>
        <ButtonLink to="/" mt="sm">
          {t('page.toChat')}
        </ButtonLink>
      </Stack>
    </Center>
  );
}

/** A part of the UI that could not be fetched, such as after an update, or a fault of ours. */
export function PageFailed({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <Center p="xl" mih="60vh" role="alert">
      <Stack align="center" gap="xs" maw={420}>
        <IconAlertTriangle size={36} stroke={1.4} aria-hidden />
        <Title order={1} size="h3" ta="center">
          {t('page.failed')}
        </Title>
        <Text size="sm" className="muted" ta="center">
          {t('page.failed.text')}
        </Text>
        <Text size="xs" className="muted" ta="center" style={{ overflowWrap: 'anywhere' }}>
          {error instanceof Error ? error.message : String(error)}
        </Text>
        <Button mt="sm" onClick={() => location.reload()}>
          {t('page.reload')}
        </Button>
      </Stack>
    </Center>
  );
}
