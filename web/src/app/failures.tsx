// What stands in the place of a page that is not there, or that broke.
import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconMapOff } from '@tabler/icons-react';
import type { ErrorComponentProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../components/links';
import { usePageTitle } from '../lib/page-title';

export function NotFoundPage() {
  const { t } = useTranslation();
  usePageTitle(t('page.missing'));
  return (
    <InPlaceOfPage icon={IconMapOff} title={t('page.missing')} text={t('page.missing.text')}>
      <ButtonLink to="/" mt="sm">
        {t('page.toChat')}
      </ButtonLink>
    </InPlaceOfPage>
  );
}

/** A part of the UI that could not be fetched, such as after an update, or a fault of ours. */
export function PageFailed({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <InPlaceOfPage icon={IconAlertTriangle} title={t('page.failed')} text={t('page.failed.text')} role="alert">
      <Text size="xs" className="muted" ta="center" style={{ overflowWrap: 'anywhere' }}>
        {error instanceof Error ? error.message : String(error)}
      </Text>
      <Button mt="sm" onClick={() => location.reload()}>
        {t('page.reload')}
      </Button>
    </InPlaceOfPage>
  );
}

function InPlaceOfPage({
  icon: Icon,
  title,
  text,
  role,
  children,
}: {
  icon: typeof IconMapOff;
  title: string;
  text: string;
  role?: 'alert';
  children: ReactNode;
}) {
  return (
    <Center p="xl" mih="60vh" role={role}>
      <Stack align="center" gap="xs" maw={420}>
        <Icon size={36} stroke={1.4} aria-hidden />
        <Title order={1} size="h3" ta="center">
          {title}
        </Title>
        <Text size="sm" className="muted" ta="center">
          {text}
        </Text>
        {children}
      </Stack>
    </Center>
  );
}
