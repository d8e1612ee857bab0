// One message, with what can be done with it and how fast it came.
import { ActionIcon, Alert, Button, CopyButton, Group, Popover, Text, Textarea, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconAlertTriangle,
  IconCheck,
  IconCopy,
  IconListDetails,
  IconPencil,
  IconRefresh,
  IconThumbDown,
  IconThumbUp,
} from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Markdown } from '../../components/markdown';
import { duration, number } from '../../lib/format';
import { sendFeedback } from './api/feedback';
import type { Message } from './api/sessions';
import { RanWith } from './ran-with';

export function UserMessage({ text, onResend }: { text: string; onResend?: ((text: string) => void) | undefined }) {
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
          aria-label={t('chat.edit')}
          autoFocus
          onChange={(event) => setDraft(event.currentTarget.value)}
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
      <div className="bubble">{text}</div>
      <div className="message-actions">
        <CopyAction text={text} />
        {onResend && (
          <Action label={t('chat.edit')} onClick={() => setDraft(text)}>
            <IconPencil size={16} aria-hidden />
          </Action>
        )}
      </div>
    </article>
  );
}

export function AssistantMessage({
  message,
  onInspect,
  onRegenerate,
}: {
  message: Message;
  onInspect: () => void;
  onRegenerate?: (() => void) | undefined;
}) {
  const { t } = useTranslation();
  const note =
    message.status === 'interrupted'
      ? t('chat.interrupted')
      : message.status === 'cancelled'
        ? t('chat.cancelled')
        : message.status === 'failed'
          ? t('chat.failed', { reason: message.error?.message ?? '' })
          : null;
  return (
    <article className="message" aria-label={t('chat.assistant')}>
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
        {onRegenerate && (
          <Action label={t('chat.regenerate')} onClick={onRegenerate}>
            <IconRefresh size={16} aria-hidden />
          </Action>
        )}
        {message.status === 'complete' && <Feedback requestId={message.request_id} />}
        <Action label={t('inspector.open')} onClick={onInspect}>
          <IconListDetails size={16} aria-hidden />
        </Action>
        <Figures
          model={message.model}
          ttftMs={message.usage?.ttft_ms ?? null}
          tokensPerSecond={message.usage?.tokens_per_second ?? null}
          tokens={message.usage?.completion_tokens ?? null}
        />
        {message.usage?.ran_with && <RanWith ran={message.usage.ran_with} />}
      </div>
    </article>
  );
}

/** A thumb up is a click; a thumb down says what was wrong, because that is what the next try is told. */
function Feedback({ requestId }: { requestId: string }) {
  const { t } = useTranslation();
  const [given, setGiven] = useState<'up' | 'down'>();
  const [remark, setRemark] = useState<string>();
  const give = async (rating: 'up' | 'down', comment?: string) => {
    try {
      await sendFeedback(requestId, rating, comment);
      setGiven(rating);
      setRemark(undefined);
      notifications.show({ message: t(`feedback.thanks.${rating}`) });
    } catch (error) {
      notifications.show({ color: 'red', message: (error as Error).message });
    }
  };
  return (
    <>
      <Action label={t('feedback.up')} pressed={given === 'up'} onClick={() => void give('up')}>
        <IconThumbUp size={16} aria-hidden />
      </Action>
      <Popover opened={remark !== undefined} onDismiss={() => setRemark(undefined)} width={300} withArrow trapFocus>
        <Popover.Target>
          <span>
            <Action label={t('feedback.down')} pressed={given === 'down'} onClick={() => setRemark('')}>
              <IconThumbDown size={16} aria-hidden />
            </Action>
          </span>
        </Popover.Target>
        <Popover.Dropdown>
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
            <Button size="xs" disabled={!remark?.trim()} onClick={() => void give('down', remark?.trim())}>
              {t('feedback.send')}
            </Button>
          </Group>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}

export function Figures({
  model,
  ttftMs,
  tokensPerSecond,
  tokens,
}: {
  model: string | null;
  ttftMs: number | null;
  tokensPerSecond: number | null;
  tokens: number | null;
}) {
  const { t, i18n } = useTranslation();
  const parts = [
    model,
    ttftMs === null ? null : t('chat.ttft', { value: duration(ttftMs, i18n.language) }),
    tokensPerSecond === null ? null : t('chat.speed', { value: number(tokensPerSecond, i18n.language) }),
    tokens === null ? null : t('chat.tokens', { value: number(tokens, i18n.language, 0) }),
  ].filter(Boolean);
  return (
    <Text size="xs" className="muted figure" ml={6} data-testid="figures">
      {parts.join(' · ')}
    </Text>
  );
}

function CopyAction({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Action label={copied ? t('chat.copied') : t('chat.copy')} onClick={copy}>
          {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
        </Action>
      )}
    </CopyButton>
  );
}

function Action({
  label,
  onClick,
  pressed,
  children,
}: {
  label: string;
  onClick: () => void;
  /** For a button that stays down. */
  pressed?: boolean;
  children: ReactNode;
}) {
  return (
    <Tooltip label={label} openDelay={400}>
      <ActionIcon
        variant={pressed ? 'light' : 'subtle'}
        color="gray"
        size="md"
        aria-label={label}
        aria-pressed={pressed}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
