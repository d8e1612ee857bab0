// Where a message is written: grows with its text, Enter sends, Esc stops.
import { ActionIcon, Textarea } from '@mantine/core';
import { IconArrowUp, IconPlayerStopFilled } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AttachButton, AttachedPictures, useAttachedPictures } from './attached-pictures';
import { choicesFor, type SlashChoice, SlashMenu } from './slash-menu';

const MAX_CHARS = 50_000;

export function Composer({
  answering,
  disabled,
  onSend,
  onStop,
}: {
  answering: boolean;
  disabled: boolean;
  onSend: (text: string, images: string[]) => void;
  onStop: () => void;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [selected, setSelected] = useState(0);
  const [dismissed, setDismissed] = useState(false);
  const choices = dismissed ? [] : choicesFor(text);
  const { pictures, refused, add, remove, clear } = useAttachedPictures();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  const submit = () => {
    const trimmed = text.trim();
    if (!trimmed || answering || disabled) return;
    setText('');
    clear();
    onSend(
      trimmed,
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
    // While an input method composes a character, Enter belongs to it.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  return (
    <div className="composer">
      <SlashMenu choices={choices} selected={selected} onChoose={choose} />
      <AttachedPictures pictures={pictures} refused={refused} onRemove={remove} />
      <div className="composer-box">
        <AttachButton onFiles={(files) => void add(files)} />
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
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-controls={choices.length > 0 ? 'slash-menu' : undefined}
          aria-activedescendant={choices.length > 0 ? `slash-${selected}` : undefined}
          onChange={(event) => type(event.currentTarget.value)}
          onKeyDown={onKey}
          onPaste={(event) => {
            const files = [...event.clipboardData.files];
            if (files.length === 0) return;
            event.preventDefault();
            void add(files);
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
            disabled={disabled || text.trim() === ''}
            onClick={submit}
          >
            <IconArrowUp size={18} aria-hidden />
          </ActionIcon>
        )}
      </div>
    </div>
  );
}
