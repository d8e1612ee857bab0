// The stored messages of a conversation, oldest first, each with what can be done with it.
import { useTranslation } from 'react-i18next';
import type { Message } from './api/sessions';
import { MessagePictures } from './message-pictures';
import { AssistantMessage, UserMessage } from './message-view';
import { NearView } from './near-view';
import type { Otherwise } from './regenerate';

/** So many of the newest are drawn at once: what is seen when a conversation opens. */
const DRAWN_AT_ONCE = 8;

export function MessageList({
  sessionId,
  messages,
  otherModels,
  mayAsk,
  editAsked,
  onAgain,
  onBranch,
  onInspect,
}: {
  sessionId: string;
  messages: readonly Message[];
  otherModels: readonly { value: string; label: string }[];
  /** Nothing is being answered. */
  mayAsk: boolean;
  /** Counts how often the reader asked to change the last question. */
  editAsked: number;
  onAgain: (from: Message, text: string, other?: Otherwise) => void;
  onBranch: (from: Message) => void;
  onInspect: (requestId: string) => void;
}) {
  const { t } = useTranslation();
  const lastQuestion = messages.findLast(({ role }) => role === 'user')?.seq;
  return messages.map((message, index) => {
    const isUser = message.role === 'user';
    const question = messages[index - 1];
    const isLast = index === messages.length - 1;
    return (
      <NearView
        key={message.seq}
        seq={message.seq}
        drawn={index >= messages.length - DRAWN_AT_ONCE}
        isUser={isUser}
        label={t(isUser ? 'chat.you' : 'chat.assistant')}
        text={message.content}
      >
        {() =>
          isUser ? (
            <UserMessage
              text={message.content}
              seq={message.seq}
              at={message.timestamp}
              pictures={<MessagePictures sessionId={sessionId} message={message} />}
              onResend={mayAsk ? (text) => onAgain(message, text) : undefined}
              editAsked={message.seq === lastQuestion ? editAsked : 0}
            />
          ) : (
            <AssistantMessage
              message={message}
              onInspect={onInspect}
              onBranch={() => onBranch(message)}
              otherModels={otherModels}
              onRegenerate={
                mayAsk && isLast && question?.role === 'user'
                  ? (other) => onAgain(question, question.content, other)
                  : undefined
              }
            />
          )
        }
      </NearView>
    );
  });
}
