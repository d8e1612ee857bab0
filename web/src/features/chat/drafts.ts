// What was typed and not sent, by conversation, kept in this browser.
import { useEffect, useRef, useState } from 'react';

const PREFIX = 'venom.draft.';
const MOST = 50;
const PAUSE_MS = 250;

const keyOf = (sessionId: string | null): string => `${PREFIX}${sessionId ?? ''}`;

export function keepDraft(sessionId: string | null, text: string): void {
  const key = keyOf(sessionId);
  try {
    if (text === '') {
      localStorage.removeItem(key);
      return;
    }
    localStorage.setItem(key, text);
    const others = Object.keys(localStorage).filter((each) => each.startsWith(PREFIX) && each !== key);
    for (const other of others.slice(MOST - 1)) localStorage.removeItem(other);
  } catch {
    // A browser that keeps nothing, or no more: the text is still in the field.
  }
}

/** The draft of one conversation; it is on disk a moment after the last key, and when the page is left. */
export function useDraft(sessionId: string | null): [string, (text: string) => void] {
  const [text, setText] = useState(() => localStorage.getItem(keyOf(sessionId)) ?? '');
  const latest = useRef(text);
  useEffect(() => {
    const timer = setTimeout(() => keepDraft(sessionId, text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, sessionId]);
  useEffect(() => {
    const keep = () => keepDraft(sessionId, latest.current);
    addEventListener('pagehide', keep);
    return () => {
      removeEventListener('pagehide', keep);
      keep();
    };
  }, [sessionId]);
  // At once, because a message that was sent may take the field with it before it is drawn again.
  const type = (next: string) => {
    latest.current = next;
    setText(next);
  };
  return [text, type];
}
