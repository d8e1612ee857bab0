// Thumbs under an answer. A thumb up is a click; a thumb down says what was wrong, because that is what the next try is told.
import { Anchor, Button, Group, Loader, Popover, Text, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconThumbDown, IconThumbUp } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Markdown } from '../../components/markdown';
import { Failed } from '../../components/states';
import { sendFeedback, useFollowUp } from './api/feedback';
import { MessageAction } from './message-action';

export function Feedback({ requestId, onFollowUp }: { requestId: string; onFollowUp: (taskId: string) => void }) {
  const { t } = useTranslation();
  const [given, setGiven] = useState<'up' | 'down'>();
  const [remark, setRemark] = useState<string>();
  const [sending, setSending] = useState(false);
  const give = async (rating: 'up' | 'down', comment?: string) => {
    setSending(true);
    try {
      const { follow_up_task_id } = await sendFeedback(requestId, rating, comment);
      setGiven(rating);
      setRemark(undefined);
      if (follow_up_task_id) onFollowUp(follow_up_task_id);
      else notifications.show({ message: t(`feedback.thanks.${rating}`) });
    } catch (error) {
      notifications.show({ color: 'red', message: (error as Error).message });
    } finally {
      setSending(false);
    }
  };
  return (
    <>
      <MessageAction label={t('feedback.up')} pressed={given === 'up'} onClick={() => void give('up')}>
        <IconThumbUp size={16} aria-hidden />
      </MessageAction>
      <Popover
        opened={remark !== undefined}
        onDismiss={() => setRemark(undefined)}
        width={300}
        withArrow
        trapFocus
        returnFocus
      >
        <Popover.Target>
          <MessageAction label={t('feedback.down')} pressed={given === 'down'} onClick={() => setRemark('')}>
            <IconThumbDown size={16} aria-hidden />
          </MessageAction>
        </Popover.Target>
        <Popover.Dropdown aria-label={t('feedback.down')}>
          <Textarea
            label={t('feedback.remark')}
            autosize
            minRows={2}
            maxRows={6}
            maxLength={2_000}
            value={remark ?? ''}
            onChange={(event) => setRemark(event.currentTarget.value)}
          />
          <Group justify="flex-end" mt="xs">
            <Button
              size="xs"
              loading={sending}
              disabled={!remark?.trim()}
              onClick={() => void give('down', remark?.trim())}
            >
              {t('feedback.send')}
            </Button>
          </Group>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}

/** The second try. It is a task of its own, so it stands beside the conversation and not in it. */
export function FollowUp({ taskId, onInspect }: { taskId: string; onInspect: () => void }) {
  const { t } = useTranslation();
  const task = useFollowUp(taskId);
  const ended = task.data?.status === 'COMPLETED' || task.data?.status === 'FAILED';
  return (
    <section className="panel follow-up" aria-label={t('feedback.again')}>
      <Group gap={8} mb={ended ? 6 : 0}>
        {!ended && !task.isError && <Loader size={14} aria-hidden />}
        <Text size="sm" fw={600}>
          {t('feedback.again')}
        </Text>
        <Text size="xs" className="muted" role="status">
          {task.data && t(`queue.status.${task.data.status}`)}
        </Text>
      </Group>
      {task.isError && <Failed error={task.error} onRetry={() => void task.refetch()} />}
      {task.data?.result && ended && <Markdown text={task.data.result} streaming={false} />}
      <Group gap="sm">
        <Anchor component="button" type="button" size="xs" onClick={onInspect}>
          {t('inspector.open')}
        </Anchor>
        <Anchor component={Link} to="/queue" size="xs">
          {t('feedback.inQueue')}
        </Anchor>
      </Group>
    </section>
  );
}
