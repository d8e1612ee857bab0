// One message, with what can be done with it and how fast it came.
import { Alert, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCheck,
  IconCopy,
  IconGitBranch,
  IconListDetails,
  IconPencil,
} from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyText } from '../../components/copy-text';
import { Markdown } from '../../components/markdown';
import { PrivacyBadge } from '../../components/privacy-badge';
import { errorText } from '../../lib/error-text';
import { duration, moment, number, when } from '../../lib/format';
import type { Message } from './api/sessions';
import { EditMessage } from './edit-message';
import { FailedAnswer } from './failed-answer';
import { Feedback, FollowUp } from './feedback';
import { LongText } from './long-text';
import { MessageAction } from './message-action';
import { RanWith } from './ran-with';
import { Recalled } from './recalled';
import type { Otherwise } from './regenerate';
import { Regenerate } from './regenerate';
import { Thought } from './thought';

/** Tokens a second. More than that were not written but handed over. */
const MEASURABLE = 20_000;

export function UserMessage({
  text,
  seq,
  at,
  pictures,
  onResend,
  editAsked = 0,
}: {
  text: string;
  /** Absent, as its time, while it is not stored. */
  seq?: number;
  at?: string;
  pictures?: ReactNode;
  onResend?: ((text: string) => void) | undefined;
  /** Counts how often the reader asked to change it from elsewhere. */
  editAsked?: number;
}) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<string>();
  const [answered, setAnswered] = useState(editAsked);
  if (editAsked !== answered) {
    setAnswered(editAsked);
    if (onResend) setDraft(text);
  }
  if (draft !== undefined) {
    return (
      <article className="message" aria-label={t('chat.you')}>
        <EditMessage
          text={draft}
          onChange={setDraft}
          onCancel={() => setDraft(undefined)}
          onResend={() => {
            setDraft(undefined);
            onResend?.(draft.trim());
          }}
        />
      </article>
    );
  }
  return (
    <article className="message message-user" data-seq={seq} aria-label={t('chat.you')}>
      {pictures}
      <LongText text={text} />
      <div className="message-actions">
        {at && <MessageTime at={at} />}
        <CopyAction text={text} />
        {onResend && (
          <MessageAction label={t('chat.edit')} onClick={() => setDraft(text)}>
            <IconPencil size={16} aria-hidden />
          </MessageAction>
        )}
      </div>
    </article>
  );
}

export function AssistantMessage({
  message,
  onInspect,
  onBranch,
  onRegenerate,
  otherModels,
}: {
  message: Message;
  onInspect: (requestId: string) => void;
  onBranch: () => void;
  onRegenerate?: ((other: Otherwise) => void) | undefined;
  otherModels: readonly { value: string; label: string }[];
}) {
  const { t } = useTranslation();
  const [followUp, setFollowUp] = useState<string>();
  // Of a conversation that was branched or imported: nothing stands behind it that could be looked into or learned from.
  const isCopy = message.request_id.startsWith('copy-');
  const note = { interrupted: 'chat.interrupted', cancelled: 'chat.cancelled' }[message.status as string];
  return (
    <article className="message" data-seq={message.seq} aria-label={t('chat.assistant')}>
      {message.thought && <Thought text={message.thought} running={false} />}
      <Markdown text={message.content} streaming={false} />
      {note && (
        <Alert color="gray" variant="light" p="xs" mt={4} icon={<IconAlertTriangle size={16} aria-hidden />}>
          {t(note)}
        </Alert>
      )}
      {message.status === 'failed' && (
        <FailedAnswer
          code={message.error?.code ?? null}
          text={errorText(message.error?.code, message.error?.message ?? '')}
        />
      )}
      <div className="message-actions">
        <CopyAction text={message.content} />
        {onRegenerate && <Regenerate others={otherModels} onRegenerate={onRegenerate} />}
        {message.status === 'complete' && !isCopy && (
          <Feedback requestId={message.request_id} onFollowUp={setFollowUp} />
        )}
        <MessageAction label={t('chat.branch')} onClick={onBranch}>
          <IconGitBranch size={16} aria-hidden />
        </MessageAction>
        {!isCopy && (
          <MessageAction label={t('inspector.open')} onClick={() => onInspect(message.request_id)}>
            <IconListDetails size={16} aria-hidden />
          </MessageAction>
        )}
        {message.usage?.ran_with && <RanWith ran={message.usage.ran_with} />}
      </div>
      <div className="message-badges">
        {message.receipt && <PrivacyBadge receipt={message.receipt} />}
        {message.context && <Recalled context={message.context} />}
        {message.context?.degraded === 'lexical_only' && message.context.memories.length > 0 && (
          <Text size="xs" className="muted">
            {t('recalled.lexical')}
          </Text>
        )}
        <Figures
          at={message.timestamp}
          model={message.model}
          ttftMs={message.usage?.ttft_ms ?? null}
          tokensPerSecond={message.usage?.tokens_per_second ?? null}
          promptTokens={message.usage?.prompt_tokens ?? null}
          tokens={message.usage?.completion_tokens ?? null}
        />
      </div>
      {followUp && <FollowUp taskId={followUp} onInspect={() => onInspect(followUp)} />}
    </article>
  );
}

function MessageTime({ at }: { at: string }) {
  const { i18n } = useTranslation();
  return (
    <time className="muted figure message-time" dateTime={at} title={moment(at, i18n.language)}>
      {when(at, i18n.language)}
    </time>
  );
}

export function Figures({
  at,
  model,
  ttftMs,
  tokensPerSecond,
  promptTokens = null,
  tokens,
}: {
  /** When it was stored. */
  at?: string;
  model: string | null;
  ttftMs: number | null;
  tokensPerSecond: number | null;
  promptTokens?: number | null;
  tokens: number | null;
}) {
  const { t, i18n } = useTranslation();
  const parts = [
    model,
    ttftMs === null ? null : t('chat.ttft', { value: duration(ttftMs, i18n.language) }),
    tokensPerSecond === null || tokensPerSecond > MEASURABLE
      ? null
      : t('chat.speed', { value: number(tokensPerSecond, i18n.language) }),
    promptTokens === null ? null : t('chat.tokens.read', { value: number(promptTokens, i18n.language, 0) }),
    tokens === null ? null : t('chat.tokens.written', { value: number(tokens, i18n.language, 0) }),
  ].filter(Boolean);
  return (
    <Text size="xs" className="muted figure message-figures" data-testid="figures">
      {at && <MessageTime at={at} />}
      {at && parts.length > 0 && ' · '}
      {parts.join(' · ')}
    </Text>
  );
}

function CopyAction({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <CopyText value={text}>
      {({ copied, copy }) => (
        <MessageAction label={copied ? t('chat.copied') : t('chat.copy')} onClick={copy}>
          {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
        </MessageAction>
      )}
    </CopyText>
  );
}
