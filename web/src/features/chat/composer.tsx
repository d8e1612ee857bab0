// Where a message is written: grows with its text, is kept as a draft, Enter sends, Esc stops.
import { ActionIcon, Textarea } from '@mantine/core';
import { IconArrowUp, IconPlayerStopFilled } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AttachButton, AttachmentRow, useAttachments, withFiles } from './attachments';
import { useDraft } from './drafts';
import { DropZone } from './drop-zone';
import { choicesFor, type SlashChoice, SlashMenu } from './slash-menu';

const MAX_CHARS = 50_000;

export function Composer({
  sessionId,
  answering,
  disabled,
  onSend,
  onStop,
  onEditLast,
}: {
  /** Whose draft it is; null for a conversation that is not begun. */
  sessionId: string | null;
  answering: boolean;
  disabled: boolean;
  onSend: (text: string, images: string[]) => void;
  onStop: () => void;
  /** Up in an empty field. */
  onEditLast: () => void;
}) {
  const { t } = useTranslation();
  const [text, setText] = useDraft(sessionId);
  const [selected, setSelected] = useState(0);
  const [dismissed, setDismissed] = useState(false);
  const choices = dismissed ? [] : choicesFor(text);
  const attachments = useAttachments();
  const { pictures, files, add, clear } = attachments;
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  const sendable = text.trim() !== '' || files.length > 0;
  const submit = () => {
    if (!sendable || answering || disabled) return;
    setText('');
    clear();
    onSend(
      withFiles(text.trim(), files).trim(),
      pictures.map(({ dataUrl }) => dataUrl),
    );
  };
  const type = (next: string) => {
    setText(next);
    setSelected(0);
    setDismissed(false);
  };
  const choose = ({ token }: SlashChoice) => type(`${token} `);
  const onKey = (event: KeyboardEvent) => {
    if (choices.length > 0 && !event.nativeEvent.isComposing) {
      const choice = choices[Math.min(selected, choices.length - 1)];
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        const step = event.key === 'ArrowDown' ? 1 : choices.length - 1;
        setSelected((selected + step) % choices.length);
        return;
      }
      if ((event.key === 'Enter' || event.key === 'Tab') && choice) {
        event.preventDefault();
        choose(choice);
        return;
      }
      if (event.key === 'Escape') {
        event.stopPropagation();
        setDismissed(true);
        return;
      }
    }
    if (event.key === 'ArrowUp' && text === '' && !answering && sessionId) {
      event.preventDefault();
      onEditLast();
      return;
    }
    // While an input method composes a character, Enter belongs to it.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  return (
    <div className="composer">
      <SlashMenu choices={choices} selected={selected} onChoose={choose} />
      <DropZone onFiles={(dropped) => void add(dropped)} />
      <AttachmentRow attachments={attachments} />
      <div className="composer-box">
        <AttachButton onFiles={(chosen) => void add(chosen)} />
        <Textarea
          ref={field}
          flex={1}
          variant="unstyled"
          autosize
          minRows={1}
          maxRows={9}
          maxLength={MAX_CHARS}
          aria-label={t('chat.input')}
          placeholder={t('chat.placeholder')}
          value={text}
          dir="auto"
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-controls={choices.length > 0 ? 'slash-menu' : undefined}
          aria-activedescendant={choices.length > 0 ? `slash-${selected}` : undefined}
          onChange={(event) => type(event.currentTarget.value)}
          onKeyDown={onKey}
          onPaste={(event) => {
            const pasted = [...event.clipboardData.files];
            if (pasted.length === 0) return;
            event.preventDefault();
            void add(pasted);
          }}
        />
        {answering ? (
          <ActionIcon size={36} radius="xl" variant="filled" color="gray" aria-label={t('chat.stop')} onClick={onStop}>
            <IconPlayerStopFilled size={16} aria-hidden />
          </ActionIcon>
        ) : (
          <ActionIcon
            size={36}
            radius="xl"
            variant="filled"
            aria-label={t('chat.send')}
            disabled={disabled || !sendable}
            onClick={submit}
          >
            <IconArrowUp size={18} aria-hidden />
          </ActionIcon>
        )}
      </div>
    </div>
  );
}
