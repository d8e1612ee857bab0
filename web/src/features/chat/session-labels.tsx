// What keeps a conversation with local models, and how its owner takes that off: knowingly and with a reason.
import { Badge, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failed, Loading } from '../../components/states';
import { moment } from '../../lib/format';
import { type Session, useReleaseLabels, useSessionLabels } from './api/sessions';

const SHORTEST_REASON = 3;

export function SessionLabelsDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const state = useSessionLabels(session.session_id);
  const release = useReleaseLabels(session.session_id);
  const [reason, setReason] = useState('');
  const { labels = [], found_in: found = [], releases = [] } = state.data ?? {};
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('sessions.labels')}
      centered
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {state.isPending && <Loading />}
      {state.isError && <Failed error={state.error} onRetry={() => void state.refetch()} />}
      {state.isSuccess && (
        <Stack gap="sm">
          <Text size="sm">{t(labels.length === 0 ? 'sessions.labels.none' : 'sessions.labels.inForce')}</Text>
          {labels.length > 0 && (
            <Group gap={6}>
              {labels.map((label) => (
                <Badge key={label} variant="light" color="teal" tt="none">
                  {label}
                </Badge>
              ))}
            </Group>
          )}
          {labels.length > 0 && found.length > 0 && (
            <Text size="sm" className="muted">
              {t('sessions.labels.found', { places: found.map(({ seq }) => seq).join(', ') })}
            </Text>
          )}
          {labels.length > 0 && (
            <form
              onSubmit={(event) => {
                event.preventDefault();
                release.mutate(reason.trim(), { onSuccess: () => setReason('') });
              }}
            >
              <TextInput
                label={t('sessions.labels.reason')}
                value={reason}
                maxLength={500}
                onChange={(event) => setReason(event.currentTarget.value)}
                error={release.error?.message}
              />
              <Text size="xs" className="muted" mt={4}>
                {t('sessions.labels.reason.hint')}
              </Text>
              <Group justify="flex-end" mt="md">
                <Button
                  type="submit"
                  color="red"
                  loading={release.isPending}
                  disabled={reason.trim().length < SHORTEST_REASON}
                >
                  {t('sessions.labels.release')}
                </Button>
              </Group>
            </form>
          )}
          {releases.map(({ labels: gone, reason: why, released_at }) => (
            <Text key={released_at} size="xs" className="muted">
              {t('sessions.labels.released', {
                when: moment(released_at, i18n.language),
                labels: gone.join(', '),
                reason: why,
              })}
            </Text>
          ))}
        </Stack>
      )}
    </Modal>
  );
}
