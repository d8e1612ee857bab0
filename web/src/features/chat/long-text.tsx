// What a person wrote. A long text, such as a pasted file, is shown by its beginning until it is asked for.
import { UnstyledButton } from '@mantine/core';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';

const LONG_CHARS = 1_600;
const LONG_LINES = 24;

export function LongText({ text }: { text: string }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const id = useId();
  const isLong = text.length > LONG_CHARS || text.split('\n', LONG_LINES + 1).length > LONG_LINES;
  return (
    <div className="bubble" dir="auto">
      <div id={id} className={isLong && !opened ? 'bubble-begin' : undefined}>
        {text}
      </div>
      {isLong && (
        <UnstyledButton
          className="bubble-more"
          aria-expanded={opened}
          aria-controls={id}
          onClick={() => setOpened(!opened)}
        >
          {t(opened ? 'chat.less' : 'chat.more')}
        </UnstyledButton>
      )}
    </div>
  );
}
