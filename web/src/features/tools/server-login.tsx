// A remote server that wants to know who asks: the way to its login, and out again.
import { Alert, Button, Group, Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { type McpServer, useLogIn, useLogOut } from './api/get-servers';

export function ServerLogin({ server }: { server: McpServer }) {
  const { t } = useTranslation();
  const logIn = useLogIn();
  const logOut = useLogOut();
  const { authorization, name } = server;
  if (authorization === null) return null;
  if (authorization.state === 'granted')
    return (
      <Group gap="xs">
        <Text size="sm" className="muted">
          {t('tools.login.granted', { issuer: authorization.issuer ?? t('tools.login.unknown') })}
        </Text>
        <Button size="compact-xs" variant="default" loading={logOut.isPending} onClick={() => logOut.mutate(name)}>
          {t('tools.logout')}
        </Button>
      </Group>
    );
  return (
    <Alert color="yellow" variant="light" icon={<IconKey size={18} aria-hidden />} title={t('tools.login.title')}>
      <Text size="sm" mb="xs">
        {t('tools.login.text')}
      </Text>
      <Button size="xs" loading={logIn.isPending} onClick={() => logIn.mutate(name)}>
        {t('tools.login')}
      </Button>
    </Alert>
  );
}
