// A message that is drawn once the reader comes near it. Until then its plain text stands in its place, so that a conversation
// of thousands of messages opens at once, and the browser's own search finds all of them.
import { type ReactNode, useEffect, useRef, useState } from 'react';

/** How far beyond what is seen messages are drawn. */
const AHEAD_PX = 1_500;

const waiting = new WeakMap<Element, () => void>();
/** By what scrolls: a margin counts only around an observer's own root. */
const observers = new WeakMap<Element, IntersectionObserver>();

function observerOf(root: Element): IntersectionObserver {
  const known = observers.get(root);
  if (known) return known;
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) waiting.get(target)?.();
    },
    { root, rootMargin: `${AHEAD_PX}px 0px` },
  );
  observers.set(root, observer);
  return observer;
}

export function NearView({
  drawn,
  seq,
  isUser,
  label,
  text,
  children,
}: {
  /** At once, such as the newest. */
  drawn: boolean;
  seq: number;
  isUser: boolean;
  label: string;
  text: string;
  children: () => ReactNode;
}) {
  const place = useRef<HTMLElement>(null);
  const [near, setNear] = useState(drawn);
  useEffect(() => {
    const element = place.current;
    const root = element?.closest('.chat-scroll');
    if (near || !element || !root) return;
    const observer = observerOf(root);
    waiting.set(element, () => setNear(true));
    observer.observe(element);
    return () => observer.unobserve(element);
  }, [near]);
  if (near || drawn) return children();
  return (
    <article ref={place} data-seq={seq} className={isUser ? 'message message-user' : 'message'} aria-label={label}>
      <div className={isUser ? 'bubble' : 'prose prose-plain'} dir="auto">
        {text}
      </div>
    </article>
  );
}
