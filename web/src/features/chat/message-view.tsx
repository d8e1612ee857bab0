// One message, with what can be done with it and how fast it came.
import { Alert, Button, Group, Text, Textarea } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy, IconListDetails, IconPencil } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyText } from '../../components/copy-text';
import { Markdown } from '../../components/markdown';
import { PrivacyBadge } from '../../components/privacy-badge';
import { errorText } from '../../lib/error-text';
import { duration, number } from '../../lib/format';
import type { Message } from './api/sessions';
import { Feedback, FollowUp } from './feedback';
import { LongText } from './long-text';
import { MessageAction } from './message-action';
import { RanWith } from './ran-with';
import { Recalled } from './recalled';
import { Regenerate } from './regenerate';
import { Thought } from './thought';

/** Tokens a second. More than that were not written but handed over. */
const MEASURABLE = 20_000;

export function UserMessage({
  text,
  pictures,
  onResend,
}: {
  text: string;
  pictures?: ReactNode;
  onResend?: ((text: string) => void) | undefined;
}) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<string>();
  if (draft !== undefined) {
    return (
      <article className="message" aria-label={t('chat.you')}>
        <Textarea
          autosize
          minRows={2}
          maxRows={12}
          value={draft}
          dir="auto"
          aria-label={t('chat.edit')}
          autoFocus
          onChange={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.stopPropagation();
            setDraft(undefined);
          }}
        />
        <Group justify="flex-end" mt="xs" gap="xs">
          <Button size="xs" variant="default" onClick={() => setDraft(undefined)}>
            {t('action.cancel')}
          </Button>
          <Button
            size="xs"
            disabled={draft.trim() === ''}
            onClick={() => {
              setDraft(undefined);
              onResend?.(draft.trim());
            }}
          >
            {t('chat.resend')}
          </Button>
        </Group>
      </article>
    );
  }
  return (
    <article className="message message-user" aria-label={t('chat.you')}>
      {pictures}
      <LongText text={text} />
      <div className="message-actions">
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
  onRegenerate,
  otherModels,
}: {
  message: Message;
  onInspect: (requestId: string) => void;
  onRegenerate?: ((model?: string) => void) | undefined;
  otherModels: readonly { value: string; label: string }[];
}) {
  const { t } = useTranslation();
  const [followUp, setFollowUp] = useState<string>();
  const note =
    message.status === 'interrupted'
      ? t('chat.interrupted')
      : message.status === 'cancelled'
        ? t('chat.cancelled')
        : message.status === 'failed'
          ? t('chat.failed', { reason: errorText(message.error?.code, message.error?.message ?? '') })
          : null;
  return (
    <article className="message" aria-label={t('chat.assistant')}>
      {message.thought && <Thought text={message.thought} running={false} />}
      <Markdown text={message.content} streaming={false} />
      {note && (
        <Alert
          color={message.status === 'failed' ? 'red' : 'gray'}
          variant="light"
          p="xs"
          mt={4}
          icon={<IconAlertTriangle size={16} aria-hidden />}
        >
          {note}
        </Alert>
      )}
      <div className="message-actions">
        <CopyAction text={message.content} />
        {onRegenerate && <Regenerate others={otherModels} onRegenerate={onRegenerate} />}
        {message.status === 'complete' && <Feedback requestId={message.request_id} onFollowUp={setFollowUp} />}
        <MessageAction label={t('inspector.open')} onClick={() => onInspect(message.request_id)}>
          <IconListDetails size={16} aria-hidden />
        </MessageAction>
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

export function Figures({
  model,
  ttftMs,
  tokensPerSecond,
  promptTokens = null,
  tokens,
}: {
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
