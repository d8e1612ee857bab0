// The messages of one conversation and the answer that is being written, kept in view while the reader is at the end.
import { ActionIcon, Button, Center, Stack, VisuallyHidden } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../../components/links';
import { RequestInspector } from '../../components/request-inspector';
import { Empty, Failed, Loading } from '../../components/states';
import { usePageTitle } from '../../lib/page-title';
import { Answering } from './answering';
import { useApprovals } from './api/approvals';
import { getPictures, type Message, truncateSession, useMessages } from './api/sessions';
import { ApprovalCards } from './approval-cards';
import { dismissAnswer, rejoin, retry, useLiveAnswer } from './live-answers';
import { MessagePictures } from './message-pictures';
import { AssistantMessage, UserMessage } from './message-view';
import { useEndInView } from './use-end-in-view';

export type Ask = (text: string, images?: readonly string[], model?: string) => void;

export function Conversation({
  sessionId,
  title,
  onPrepare,
  onAsk,
  model,
  otherModels,
}: {
  sessionId: string;
  title: string | undefined;
  /** Before a question is taken back to be asked of another model; false where that one cannot be asked. */
  onPrepare: (model: string | undefined) => Promise<boolean>;
  onAsk: Ask;
  model: string | null;
  /** That could answer a question once more. */
  otherModels: readonly { value: string; label: string }[];
}) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const live = useLiveAnswer(sessionId);
  // A question the server has not acknowledged yet may be the first of its conversation: there is nothing to read.
  const stored = useMessages(sessionId, !live || live.requestId !== null);
  const { data: waiting = [] } = useApprovals(sessionId);
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

  const again = async (from: Message, text: string, other?: string) => {
    if (!(await onPrepare(other))) return;
    setTakingBack(true);
    try {
      // They go with the message that is taken back, so they are fetched first.
      const images = await getPictures(sessionId, from);
      await truncateSession(sessionId, from.seq);
      await queries.refetchQueries({ queryKey: ['sessions', 'messages', sessionId] });
      view.toEnd();
      onAsk(text, images, other);
    } finally {
      setTakingBack(false);
    }
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
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <div className="chat-scroll" ref={view.scroller} onScroll={view.onScroll} tabIndex={0}>
        <div
          className="chat-column"
          ref={view.column}
          role="log"
          aria-live="polite"
          aria-busy={live?.done === false}
          aria-label={t('chat.log')}
        >
          <VisuallyHidden>
            <h1>{messages[0]?.content.slice(0, 80) ?? t('chat.log')}</h1>
          </VisuallyHidden>
          {stored.hasNextPage && (
            <Center mb="md" className="chat-older">
              <Button
                size="xs"
                variant="default"
                loading={stored.isFetchingNextPage}
                onClick={() => {
                  view.holdPlace();
                  void stored.fetchNextPage();
                }}
              >
                {t('chat.older')}
              </Button>
            </Center>
          )}
          {shown.map((message, index) => {
            const question = shown[index - 1];
            const mayAskAgain = !live && index === shown.length - 1 && question?.role === 'user';
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
                otherModels={otherModels}
                onRegenerate={mayAskAgain ? (other) => void again(question, question.content, other) : undefined}
              />
            );
          })}
          {live && (
            <Answering live={live} model={model} waitsForYes={waiting.length > 0} onRetry={() => retry(sessionId)} />
          )}
          <ApprovalCards sessionId={sessionId} />
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
        <Empty>{t('error.session_not_found')}</Empty>
        <ButtonLink to="/" size="sm">
          {t('sessions.new')}
        </ButtonLink>
      </Stack>
    </Center>
  );
}
