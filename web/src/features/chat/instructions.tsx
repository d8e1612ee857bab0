// What the assistant is told in one conversation, beside its own system prompt.
import { Button, Group, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type SessionDetail, useChangeSession } from './api/sessions';

const MAX_CHARS = 4_000;

export function Instructions({
  session,
  draft,
  onDraft,
}: {
  /** Absent where the conversation is not begun. */
  session: SessionDetail | undefined;
  draft: string;
  onDraft: (text: string) => void;
}) {
  const { t } = useTranslation();
  if (!session) return <Field value={draft} onChange={onDraft} description={t('chat.instructions.hint')} />;
  return <Stored key={session.session_id} sessionId={session.session_id} stored={session.instructions} />;
}

function Stored({ sessionId, stored }: { sessionId: string; stored: string }) {
  const { t } = useTranslation();
  const change = useChangeSession();
  const [text, setText] = useState(stored);
  const changed = text.trim() !== stored;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate({ id: sessionId, instructions: text.trim() });
      }}
    >
      <Field value={text} onChange={setText} description={t('chat.instructions.hint')} error={change.error?.message} />
      <Group justify="flex-end" mt="xs">
        <Button type="submit" size="xs" disabled={!changed} loading={change.isPending}>
          {t('action.save')}
        </Button>
      </Group>
    </form>
  );
}

function Field({
  value,
  onChange,
  description,
  error,
}: {
  value: string;
  onChange: (text: string) => void;
  description: string;
  error?: string | undefined;
}) {
  const { t } = useTranslation();
  return (
    <Textarea
      label={t('chat.instructions')}
      description={description}
      styles={{ description: { color: 'var(--venom-muted)' } }}
      placeholder={t('chat.instructions.example')}
      autosize
      minRows={3}
      maxRows={12}
      maxLength={MAX_CHARS}
      dir="auto"
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
