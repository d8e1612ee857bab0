// The messages of one conversation and the answer that is being written, kept in view while the reader is at the end.
import { Button, Center, Text, VisuallyHidden } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Markdown } from '../../components/markdown';
import { RequestInspector } from '../../components/request-inspector';
import { Failed, Loading } from '../../components/states';
import { getPictures, type Message, truncateSession, useMessages } from './api/sessions';
import { ApprovalCards } from './approval-cards';
import { dismissAnswer, type LiveAnswer, rejoin, useLiveAnswer } from './live-answers';
import { MessagePictures } from './message-pictures';
import { AssistantMessage, Figures, UserMessage } from './message-view';
import { TaskProgress } from './progress-view';

const NEAR_END_PX = 80;

export function Conversation({
  sessionId,
  onAsk,
  model,
}: {
  sessionId: string;
  onAsk: (text: string, images: string[]) => void;
  model: string | null;
}) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const live = useLiveAnswer(sessionId);
  // A question the server has not acknowledged yet may be the first of its conversation: there is nothing to read.
  const stored = useMessages(sessionId, !live || live.requestId !== null);
  const [inspected, setInspected] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  // Known before the next text moves the end away.
  const atEnd = useRef(true);
  const messages = (stored.data?.pages ?? []).toReversed().flatMap((page) => page.messages);
  const last = messages.at(-1);

  useEffect(() => {
    if (last?.status === 'streaming' && !live) void rejoin(sessionId, last.request_id);
  }, [last, live, sessionId]);

  // The stored answer takes the place of the live one once both are there.
  useEffect(() => {
    if (!live?.done) return;
    void queries.refetchQueries({ queryKey: ['sessions', 'messages', sessionId] }).then(() => {
      const kept = queries.getQueryState(['sessions', 'messages', sessionId])?.status === 'success';
      if (kept && (live.requestId || !live.error)) dismissAnswer(sessionId);
    });
    void queries.invalidateQueries({ queryKey: ['sessions', 'list'] });
  }, [live?.done, live?.error, live?.requestId, queries, sessionId]);

  useLayoutEffect(() => {
    if (atEnd.current && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  });

  const again = async (from: Message, text: string) => {
    // They go with the message that is taken back, so they are fetched first.
    const images = await getPictures(sessionId, from);
    await truncateSession(sessionId, from.seq);
    await queries.refetchQueries({ queryKey: ['sessions', 'messages', sessionId] });
    onAsk(text, images);
  };

  if (stored.isPending && !live) return <Loading />;
  if (stored.isError && !live) return <Failed error={stored.error} onRetry={() => void stored.refetch()} />;
  const shown = live
    ? messages.filter(
        ({ request_id, role }) => request_id !== live.requestId || (role === 'user' && live.question === null),
      )
    : messages;
  return (
    <div
      className="chat-scroll"
      ref={scroller}
      onScroll={({ currentTarget: element }) => {
        atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
      }}
    >
      <div
        className="chat-column"
        role="log"
        aria-live="polite"
        aria-busy={live?.done === false}
        aria-label={t('chat.log')}
      >
        <VisuallyHidden>
          <h1>{messages[0]?.content.slice(0, 80) ?? t('chat.log')}</h1>
        </VisuallyHidden>
        {stored.hasNextPage && (
          <Center mb="md">
            <Button
              size="xs"
              variant="default"
              loading={stored.isFetchingNextPage}
              onClick={() => void stored.fetchNextPage()}
            >
              {t('chat.older')}
            </Button>
          </Center>
        )}
        {shown.map((message, index) => {
          const question = shown[index - 1];
          return message.role === 'user' ? (
            <UserMessage
              key={message.seq}
              text={message.content}
              pictures={<MessagePictures sessionId={sessionId} message={message} />}
              onResend={live ? undefined : (text) => void again(message, text)}
            />
          ) : (
            <AssistantMessage
              key={message.seq}
              message={message}
              onInspect={setInspected}
              onRegenerate={
                !live && index === shown.length - 1 && question?.role === 'user'
                  ? () => void again(question, question.content)
                  : undefined
              }
            />
          );
        })}
        {live && <Answering live={live} model={model} />}
        <ApprovalCards sessionId={sessionId} />
      </div>
      <RequestInspector requestId={inspected} onClose={() => setInspected(null)} />
    </div>
  );
}

function Answering({ live, model }: { live: LiveAnswer; model: string | null }) {
  const { t } = useTranslation();
  const now = performance.now();
  const writingMs = live.firstAt === null ? 0 : now - live.firstAt;
  return (
    <>
      {live.question !== null && <UserMessage text={live.question} />}
      <article className="message" aria-label={t('chat.assistant')}>
        <TaskProgress live={live} />
        {live.text === '' && !live.done ? (
          <Text className="muted caret" size="sm">
            {t('chat.waiting')}
          </Text>
        ) : (
          <div className={live.done ? undefined : 'caret'}>
            <Markdown text={live.text} streaming={!live.done} />
          </div>
        )}
        {live.error !== null && (
          <Text c="var(--mantine-color-red-light-color)" size="sm" role="alert">
            {t('chat.failed', { reason: live.error })}
          </Text>
        )}
        <div className="message-actions">
          <Figures
            model={model}
            ttftMs={live.firstAt === null || live.question === null ? null : live.firstAt - live.startedAt}
            tokensPerSecond={writingMs > 250 && live.pieces > 2 ? ((live.pieces - 1) / writingMs) * 1_000 : null}
            tokens={null}
          />
        </div>
      </article>
    </>
  );
}
