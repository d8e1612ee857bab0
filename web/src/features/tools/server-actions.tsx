// What can be done to a server: switch it off, restart, stop, list its tools anew, update, roll back, remove.
import { ActionIcon, Button, Group, Menu, Modal, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp, IconDots, IconListSearch, IconPlayerStop, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type McpServer, useServerAction } from './api/get-servers';
import { useUpdate } from './api/imports';
import { shortVersion } from './short-version';

const UPDATABLE = ['git', 'npm', 'pypi'];

export function ServerActions({
  server,
  former,
}: {
  server: McpServer;
  former: readonly { version: string | null; version_id: string }[];
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const action = useServerAction();
  const [updating, update] = useDisclosure(false);
  const [rollingBack, rollBack] = useDisclosure(false);
  const [removing, remove] = useDisclosure(false);
  const pending = action.isPending ? action.variables.action : null;
  const { name } = server;
  const before = former[0];
  return (
    <Group gap="xs">
      <Switch
        label={t('tools.enabled')}
        checked={server.enabled}
        disabled={pending !== null}
        onChange={() => action.mutate({ name, action: server.enabled ? 'disable' : 'enable' })}
      />
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRefresh size={14} aria-hidden />}
        loading={pending === 'restart'}
        disabled={!server.enabled}
        onClick={() => action.mutate({ name, action: 'restart' })}
      >
        {t('tools.restart')}
      </Button>
      {UPDATABLE.includes(server.source?.kind ?? '') && (
        <Button size="xs" variant="default" onClick={update.open}>
          {t('tools.update')}
        </Button>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label={t('models.menu', { name: server.title })}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconListSearch size={15} aria-hidden />}
            disabled={!server.enabled}
            onClick={() =>
              action.mutate(
                { name, action: 'refresh' },
                { onSuccess: () => notifications.show({ message: t('tools.refreshed') }) },
              )
            }
          >
            {t('tools.refresh')}
          </Menu.Item>
          {server.pid !== null && (
            <Menu.Item
              leftSection={<IconPlayerStop size={15} aria-hidden />}
              onClick={() => action.mutate({ name, action: 'stop' })}
            >
              {t('tools.stop')}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconArrowBackUp size={15} aria-hidden />} disabled={!before} onClick={rollBack.open}>
            {t('tools.rollback')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={15} aria-hidden />} onClick={remove.open}>
            {t('tools.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <UpdateDialog server={server} opened={updating} onClose={update.close} />
      <Sure
        opened={rollingBack}
        title={t('tools.rollback')}
        button={t('tools.rollback')}
        loading={pending === 'rollback'}
        onClose={rollBack.close}
        onSure={() => action.mutate({ name, action: 'rollback' }, { onSuccess: rollBack.close })}
      >
        {t('tools.rollback.sure', {
          name: server.title,
          version: shortVersion(before?.version ?? null) ?? before?.version_id ?? '',
        })}
      </Sure>
      <Sure
        opened={removing}
        title={t('tools.remove')}
        button={t('tools.remove')}
        loading={pending === 'remove'}
        onClose={remove.close}
        // Not a callback of `mutate`: it is not called once this page is gone, and it goes when the server does.
        onSure={() =>
          void action.mutateAsync({ name, action: 'remove' }).then(
            () => navigate({ to: '/tools' }),
            () => undefined,
          )
        }
      >
        {t('tools.remove.sure', { name: server.title })}
      </Sure>
    </Group>
  );
}

function UpdateDialog({ server, opened, onClose }: { server: McpServer; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const update = useUpdate();
  const [wanted, setWanted] = useState('');
  const git = server.source?.kind === 'git';
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('tools.update')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const value = wanted.trim();
          update.mutate(
            { name: server.name, ...(value === '' ? {} : git ? { ref: value } : { version: value }) },
            {
              onSuccess: ({ operation_id: id }) =>
                void navigate({ to: '/tools/imports/$operationId', params: { operationId: id } }),
            },
          );
        }}
      >
        <Stack gap="sm">
          <Text size="sm">{t('tools.update.about')}</Text>
          <TextInput
            data-autofocus
            label={t(git ? 'tools.import.ref' : 'tools.import.version')}
            description={t(git ? 'tools.update.ref' : 'tools.update.version')}
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
          {update.isError && (
            <Text size="sm" c="var(--mantine-color-red-light-color)" role="alert">
              {update.error.message}
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={update.isPending}>
              {t('tools.update.look')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function Sure({
  opened,
  title,
  button,
  loading,
  onClose,
  onSure,
  children,
}: {
  opened: boolean;
  title: string;
  button: string;
  loading: boolean;
  onClose: () => void;
  onSure: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Text size="sm" mb="md">
        {children}
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button color="red" loading={loading} onClick={onSure}>
          {button}
        </Button>
      </Group>
    </Modal>
  );
}
