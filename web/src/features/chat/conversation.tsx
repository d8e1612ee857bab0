// The messages of one conversation and the answer that is being written, kept in view while the reader is at the end.
import { ActionIcon, Center, Stack, VisuallyHidden } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowDown, IconMessageOff } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../../components/links';
import { RequestInspector } from '../../components/request-inspector';
import { Empty, Failed, Loading } from '../../components/states';
import { usePageTitle } from '../../lib/page-title';
import { Answering } from './answering';
import { useApprovals } from './api/approvals';
import { useQuestions } from './api/questions';
import { branchSession, getPictures, type Message, truncateSession, useMessages } from './api/sessions';
import { ApprovalCards } from './approval-cards';
import { FindBar } from './find-bar';
import { dismissAnswer, rejoin, retry, useLiveAnswer } from './live-answers';
import { MessageList } from './message-list';
import { newSessionId } from './new-session-id';
import { OlderMessages } from './older-messages';
import { QuestionCards } from './question-cards';
import type { Otherwise } from './regenerate';
import { StreamAnnouncer } from './stream-announcer';
import { useEndInView } from './use-end-in-view';

export type Ask = (text: string, images?: readonly string[], other?: Otherwise) => void;

export function Conversation({
  sessionId,
  title,
  onAsk,
  model,
  otherModels,
  finding,
  onFound,
  editAsked,
}: {
  sessionId: string;
  title: string | undefined;
  onAsk: Ask;
  model: string | null;
  /** That could answer a question once more. */
  otherModels: readonly { value: string; label: string }[];
  /** Whether the bar that finds words is open. */
  finding: boolean;
  onFound: () => void;
  editAsked: number;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const live = useLiveAnswer(sessionId);
  // A question the server has not acknowledged yet may be the first of its conversation: there is nothing to read.
  const stored = useMessages(sessionId, !live || live.requestId !== null);
  const { data: waiting = [] } = useApprovals(sessionId);
  const { data: questions = [] } = useQuestions(sessionId);
  const [inspected, setInspected] = useState<string | null>(null);
  const [takingBack, setTakingBack] = useState(false);
  const view = useEndInView();
  const messages = (stored.data?.pages ?? []).toReversed().flatMap((page) => page.messages);
  const last = messages.at(-1);
  usePageTitle(title || t('chat.log'));

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

  const again = async (from: Message, text: string, other?: Otherwise) => {
    setTakingBack(true);
    try {
      // They go with the message that is taken back, so they are fetched first.
      const images = await getPictures(sessionId, from);
      await truncateSession(sessionId, from.seq);
      await queries.refetchQueries({ queryKey: ['sessions', 'messages', sessionId] });
      view.toEnd();
      onAsk(text, images, other);
    } catch (error) {
      notifications.show({ color: 'red', message: (error as Error).message });
    } finally {
      setTakingBack(false);
    }
  };
  const branch = (from: Message) => {
    const id = newSessionId();
    branchSession(sessionId, id, from.seq).then(
      () => {
        notifications.show({ message: t('chat.branched') });
        void queries.invalidateQueries({ queryKey: ['sessions', 'list'] });
        void navigate({ to: '/chat/$sessionId', params: { sessionId: id } });
      },
      (error: Error) => notifications.show({ color: 'red', message: error.message }),
    );
  };

  if (stored.isPending && !live) return <Loading />;
  if (stored.isError && !live) return <Failed error={stored.error} onRetry={() => void stored.refetch()} />;
  if (messages.length === 0 && !live && !takingBack) return <Gone />;
  const shown = live
    ? messages.filter(
        ({ request_id, role }) => request_id !== live.requestId || (role === 'user' && live.question === null),
      )
    : messages;
  return (
    <div className="chat-view">
      {finding && <FindBar messages={shown} readingOlder={stored.hasNextPage} onClose={onFound} />}
      <StreamAnnouncer live={live} />
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <div className="chat-scroll" ref={view.scroller} onScroll={view.onScroll} tabIndex={0}>
        {/* Not live by itself: a screen reader would read each word as it comes. */}
        <div
          className="chat-column"
          ref={view.column}
          role="log"
          aria-live="off"
          aria-busy={live?.done === false}
          aria-label={t('chat.log')}
        >
          <VisuallyHidden>
            <h1>{messages[0]?.content.slice(0, 80) ?? t('chat.log')}</h1>
          </VisuallyHidden>
          {stored.hasNextPage && (
            <OlderMessages
              reading={stored.isFetchingNextPage}
              all={finding}
              onRead={() => {
                view.holdPlace();
                void stored.fetchNextPage();
              }}
            />
          )}
          <MessageList
            sessionId={sessionId}
            messages={shown}
            otherModels={otherModels}
            mayAsk={!live && !takingBack}
            editAsked={editAsked}
            onAgain={(from, text, other) => void again(from, text, other)}
            onBranch={branch}
            onInspect={setInspected}
          />
          {live && (
            <Answering
              live={live}
              model={model}
              waitsForYes={waiting.length + questions.length > 0}
              onRetry={() => retry(sessionId)}
            />
          )}
          <ApprovalCards sessionId={sessionId} />
          <QuestionCards sessionId={sessionId} />
        </div>
        <RequestInspector requestId={inspected} onClose={() => setInspected(null)} />
      </div>
      {view.away && (
        <ActionIcon
          className="to-end"
          size={36}
          radius="xl"
          variant="default"
          aria-label={t('chat.toEnd')}
          title={t('chat.toEnd')}
          onClick={view.toEnd}
        >
          <IconArrowDown size={18} aria-hidden />
        </ActionIcon>
      )}
    </div>
  );
}

function Gone() {
  const { t } = useTranslation();
  return (
    <Center flex={1}>
      <Stack align="center" gap={0}>
        <VisuallyHidden>
          <h1>{t('chat.log')}</h1>
        </VisuallyHidden>
        <Empty icon={IconMessageOff}>{t('error.session_not_found')}</Empty>
        <ButtonLink to="/" size="sm">
          {t('sessions.new')}
        </ButtonLink>
      </Stack>
    </Center>
  );
}
