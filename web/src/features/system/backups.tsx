// Copies of the database: make one, keep it elsewhere, and how to go back to it.
import { ActionIcon, Button, Code, Group, Stack, Text, Title } from '@mantine/core';
import { IconDatabaseExport, IconDownload, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { DeleteDialog } from '../../components/delete-dialog';
import { Empty, Failed, Loading } from '../../components/states';
import { bytes, moment } from '../../lib/format';
import { type Backup, useBackups, useMakeBackup, useRemoveBackup, useSaveBackup } from './api/system';

export function Backups() {
  const { t, i18n } = useTranslation();
  const backups = useBackups();
  const make = useMakeBackup();
  const save = useSaveBackup();
  const [removing, setRemoving] = useState<Backup>();
  const newest = backups.data?.[0];
  return (
    <section className="panel" style={{ padding: '14px 18px' }} aria-labelledby="backups">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" id="backups">
          {t('system.backups')}
        </Title>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDatabaseExport size={15} aria-hidden />}
          loading={make.isPending}
          onClick={() => make.mutate()}
        >
          {t('system.backups.make')}
        </Button>
      </Group>
      <Text size="sm" className="muted" mb="sm">
        {t('system.backups.lead')}
      </Text>
      {backups.isPending && <Loading />}
      {backups.isError && <Failed error={backups.error} onRetry={() => void backups.refetch()} />}
      {backups.data?.length === 0 && <Empty>{t('system.backups.empty')}</Empty>}
      <Stack gap={8}>
        {backups.data?.map((backup) => (
          <Group key={backup.name} justify="space-between" gap="xs" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={500}>
                {moment(backup.created_at, i18n.language)}
              </Text>
              <Text size="xs" className="muted" style={{ overflowWrap: 'anywhere' }}>
                {t(`system.backups.kind.${backup.kind}`)} · {bytes(backup.size_bytes, i18n.language)} · {backup.name}
              </Text>
            </div>
            <Group gap={4} wrap="nowrap">
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                aria-label={t('system.backups.save', { name: backup.name })}
                loading={save.isPending && save.variables === backup.name}
                onClick={() => save.mutate(backup.name)}
              >
                <IconDownload size={17} aria-hidden />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                aria-label={t('system.backups.remove', { name: backup.name })}
                onClick={() => setRemoving(backup)}
              >
                <IconTrash size={17} aria-hidden />
              </ActionIcon>
            </Group>
          </Group>
        ))}
      </Stack>
      {newest && (
        <Text size="xs" className="muted" mt="sm" component="div">
          {t('system.backups.restore')} <Code>venom restore {newest.name}</Code>
        </Text>
      )}
      {removing && <RemoveDialog backup={removing} onClose={() => setRemoving(undefined)} />}
    </section>
  );
}

function RemoveDialog({ backup, onClose }: { backup: Backup; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const remove = useRemoveBackup();
  return (
    <DeleteDialog
      title={t('system.backups.remove.title')}
      text={t('system.backups.remove.text', { when: moment(backup.created_at, i18n.language) })}
      pending={remove.isPending}
      error={remove.error}
      onDelete={() => remove.mutate(backup.name, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
