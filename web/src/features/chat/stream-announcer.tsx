// What a screen reader is told while an answer is written: that it began, and once what it says. Not each word as it comes.
import { VisuallyHidden } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LiveAnswer } from './live-answers';

/** The rest is read in the conversation. */
const READ_CHARS = 400;

export function StreamAnnouncer({ live }: { live: LiveAnswer | undefined }) {
  const { t } = useTranslation();
  const [said, setSaid] = useState('');
  const state = live === undefined ? 'none' : !live.done ? 'begun' : live.error ? 'failed' : 'done';
  const text = state === 'done' ? (live?.text.slice(0, READ_CHARS) ?? '') : '';
  useEffect(() => {
    // The stored answer takes the live one's place at once; what was said stays until the next begins.
    if (state !== 'none') setSaid(t(`chat.announce.${state}`, { text }));
  }, [state, text, t]);
  return (
    <VisuallyHidden role="status" aria-live="polite">
      {said}
    </VisuallyHidden>
  );
}
