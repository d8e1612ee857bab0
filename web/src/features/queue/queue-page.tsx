// The queue: what runs, what waits, what came of the rest; hold it, empty it, stop everything.
import { ActionIcon, Anchor, Badge, Button, Group, Modal, Stack, Text, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconHandStop,
  IconListCheck,
  IconListDetails,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../../components/links';
import { PageHeader } from '../../components/page-header';
import { RequestInspector } from '../../components/request-inspector';
import { Empty, Failed, Loading } from '../../components/states';
import { errorText } from '../../lib/error-text';
import { moment } from '../../lib/format';
import { logText } from '../../lib/log-text';
import { type Task, useQueue, useQueueAction, useTasks } from './api/get-queue';

const COLORS: Record<Task['status'], string> = {
  PENDING: 'gray',
  PROCESSING: 'blue',
  COMPLETED: 'teal',
  FAILED: 'red',
};

export function QueuePage() {
  const { t } = useTranslation();
  const queue = useQueue();
  const tasks = useTasks();
  const action = useQueueAction();
  const [inspected, setInspected] = useState<string | null>(null);
  const [asking, { open, close }] = useDisclosure(false);
  return (
    <div className="page">
      <PageHeader title={t('queue.title')} lead={t('queue.lead')} />
      <section className="panel" style={{ padding: 16 }} aria-label={t('queue.title')}>
        <Group justify="space-between">
          <Group gap="lg">
            <Figure label={t('queue.active')} value={queue.data?.active} of={queue.data?.limit ?? undefined} />
            <Figure label={t('queue.pending')} value={queue.data?.pending} />
            {queue.data?.paused && (
              <Badge color="orange" variant="light" tt="none">
                {t('queue.paused')}
              </Badge>
            )}
          </Group>
          <Group gap={6}>
            {queue.data?.paused ? (
              <Button
                size="compact-sm"
                leftSection={<IconPlayerPlay size={15} aria-hidden />}
                onClick={() => action.mutate('/queue/resume')}
              >
                {t('queue.resume')}
              </Button>
            ) : (
              <Button
                size="compact-sm"
                variant="default"
                leftSection={<IconPlayerPause size={15} aria-hidden />}
                onClick={() => action.mutate('/queue/pause')}
              >
                {t('queue.pause')}
              </Button>
            )}
            <Button
              size="compact-sm"
              variant="default"
              disabled={!queue.data?.pending}
              leftSection={<IconTrash size={15} aria-hidden />}
              onClick={() => action.mutate('/queue/purge')}
            >
              {t('queue.purge')}
            </Button>
            <Button
              size="compact-sm"
              color="red"
              variant="light"
              leftSection={<IconHandStop size={15} aria-hidden />}
              onClick={open}
            >
              {t('queue.stop')}
            </Button>
          </Group>
        </Group>
        {queue.isError && <Failed error={queue.error} onRetry={() => void queue.refetch()} />}
      </section>
      <Stack gap="xs" mt="lg">
        {tasks.isPending && <Loading />}
        {tasks.isError && <Failed error={tasks.error} onRetry={() => void tasks.refetch()} />}
        {tasks.data?.length === 0 && (
          <Empty
            icon={IconListCheck}
            action={
              <ButtonLink to="/" size="xs" variant="default">
                {t('empty.queue.do')}
              </ButtonLink>
            }
          >
            {t('queue.empty')}
          </Empty>
        )}
        {tasks.data?.map((task) => (
          <TaskRow
            key={task.id}
            task={task}
            onInspect={() => setInspected(task.id)}
            onAct={(path) => action.mutate(path)}
          />
        ))}
      </Stack>
      <RequestInspector requestId={inspected} onClose={() => setInspected(null)} />
      <Modal
        opened={asking}
        onClose={close}
        title={t('queue.stop')}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <Text size="sm">{t('queue.stop.sure')}</Text>
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button
            color="red"
            onClick={() => {
              close();
              action.mutate('/queue/emergency-stop');
            }}
          >
            {t('queue.stop')}
          </Button>
        </Group>
      </Modal>
    </div>
  );
}

function Figure({ label, value, of }: { label: string; value: number | undefined; of?: number | undefined }) {
  return (
    <div>
      <Text size="xs" className="muted">
        {label}
      </Text>
      <Text fw={600} className="figure">
        {value ?? '–'}
        {of === undefined ? '' : ` / ${of}`}
      </Text>
    </div>
  );
}

function TaskRow({ task, onInspect, onAct }: { task: Task; onInspect: () => void; onAct: (path: string) => void }) {
  const { t, i18n } = useTranslation();
  const { session, tool_requirement: requirement, llm_runtime: runtime } = task.context_history;
  /** A second try carries the remark that asked for it along, below a line of its own. */
  const [question = ''] = task.content.split('\n---\n', 1);
  const interrupted = runtime?.error?.error_code === 'interrupted';
  return (
    <article className="panel" style={{ padding: '10px 14px' }}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Group gap={8} wrap="nowrap">
            <Badge size="sm" variant="dot" tt="none" color={COLORS[task.status]} style={{ flexShrink: 0 }}>
              {t(`queue.status.${task.status}`)}
            </Badge>
            <Text size="sm" truncate>
              {session?.session_id ? (
                <Anchor component={Link} to={`/chat/${session.session_id}`} c="inherit">
                  {question.trim() || '–'}
                </Anchor>
              ) : (
                question.trim() || '–'
              )}
            </Text>
          </Group>
          <Text size="xs" className="muted" mt={2} truncate>
            {[
              moment(task.created_at, i18n.language),
              requirement ? t(`intent.${requirement.intent}`, { defaultValue: requirement.intent }) : null,
              runtime?.model,
              (runtime?.error && errorText(runtime.error.error_code, runtime.error.error_message ?? '')) ??
                (task.status === 'COMPLETED' ? null : logText(t, task.logs.at(-1) ?? '')),
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        </div>
        <Group gap={4} wrap="nowrap">
          {task.status === 'PROCESSING' && (
            <RowAction label={t('chat.stop')} onClick={() => onAct(`/queue/task/${task.id}/abort`)}>
              <IconPlayerStop size={16} aria-hidden />
            </RowAction>
          )}
          {interrupted && (
            <RowAction label={t('queue.again')} onClick={() => onAct(`/tasks/${task.id}/resume`)}>
              <IconRefresh size={16} aria-hidden />
            </RowAction>
          )}
          <RowAction label={t('inspector.open')} onClick={onInspect}>
            <IconListDetails size={16} aria-hidden />
          </RowAction>
        </Group>
      </Group>
    </article>
  );
}

function RowAction({ label, onClick, children }: { label: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
