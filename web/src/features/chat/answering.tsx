// The answer that is being written: how far it is, what it waits for, and what to do where it never began.
import { Button, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Markdown } from '../../components/markdown';
import { FailedAnswer } from './failed-answer';
import type { LiveAnswer } from './live-answers';
import { Figures, UserMessage } from './message-view';
import { TaskProgress } from './progress-view';
import { Thought } from './thought';

export function Answering({
  live,
  model,
  waitsForYes,
  onRetry,
}: {
  live: LiveAnswer;
  model: string | null;
  /** A tool waits for the reader, not the reader for the model. */
  waitsForYes: boolean;
  onRetry: () => void;
}) {
  const { t } = useTranslation();
  const now = performance.now();
  const writingMs = live.firstAt === null ? 0 : now - live.firstAt;
  return (
    <>
      {live.question !== null && <UserMessage text={live.question} />}
      <article className="message" aria-label={t('chat.assistant')}>
        <TaskProgress live={live} />
        {live.thought !== '' && <Thought text={live.thought} running={live.text === '' && !live.done} />}
        {live.text === '' && !live.done ? (
          <Text className={waitsForYes ? 'muted' : 'muted caret'} size="sm">
            {t(waitsForYes ? 'chat.waiting.yes' : 'chat.waiting')}
          </Text>
        ) : (
          <div className={live.done ? undefined : 'caret'}>
            <Markdown text={live.text} streaming={!live.done} />
          </div>
        )}
        {live.error !== null && <FailedAnswer code={live.error.code} text={live.error.text} />}
        <div className="message-actions">
          {live.error !== null && live.requestId === null && live.question !== null ? (
            <Button size="xs" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={onRetry}>
              {t('state.retry')}
            </Button>
          ) : (
            <Figures
              model={model}
              ttftMs={live.firstAt === null || live.question === null ? null : live.firstAt - live.startedAt}
              tokensPerSecond={writingMs > 250 && live.pieces > 2 ? ((live.pieces - 1) / writingMs) * 1_000 : null}
              tokens={null}
            />
          )}
        </div>
      </article>
    </>
  );
}
