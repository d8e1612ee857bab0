// Providers around the routes, and the one question a server with a key asks first.
import { Button, Group, MantineProvider, Modal, PasswordInput } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { saveApiKey } from '../lib/api-key';
import { ApiError } from '../lib/http';
import { followServerEvents } from '../lib/live-events';
import { router } from './router';
import { theme } from './theme';

let keyNeeded = false;
const listeners = new Set<() => void>();

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (!(error instanceof ApiError) || error.status !== 401) return;
      keyNeeded = true;
      for (const listener of listeners) listener();
    },
  }),
  defaultOptions: {
    queries: {
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      staleTime: 2_000,
    },
  },
});

export function App() {
  useEffect(() => followServerEvents(queries), []);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
        <KeyDialog />
      </QueryClientProvider>
    </MantineProvider>
  );
}

function KeyDialog() {
  const { t } = useTranslation();
  const needed = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => keyNeeded,
  );
  const [key, setKey] = useState('');
  return (
    <Modal opened={needed} onClose={() => {}} withCloseButton={false} title={t('key.title')} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          saveApiKey(key.trim());
          location.reload();
        }}
      >
        <PasswordInput
          label={t('key.label')}
          value={key}
          data-autofocus
          onChange={(event) => setKey(event.currentTarget.value)}
        />
        <Group justify="flex-end" mt="md">
          <Button type="submit" disabled={key.trim() === ''}>
            {t('key.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
