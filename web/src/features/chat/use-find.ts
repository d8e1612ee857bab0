// Finding words in a conversation: all of its messages are read, places are counted, and the one that is looked at is marked.
import { useEffect, useMemo, useState } from 'react';
import type { Message } from './api/sessions';

const MARK = 'venom-find';
const MARK_AT = 'venom-find-at';
/** In one message, so that a letter in a long text does not stop the page. */
const MOST_IN_MESSAGE = 500;

export interface Place {
  seq: number;
  /** Which of the places in its message. */
  nth: number;
}

const fold = (text: string): string => text.toLocaleLowerCase();

export function placesOf(messages: readonly Pick<Message, 'seq' | 'content'>[], query: string): Place[] {
  const wanted = fold(query.trim());
  if (wanted === '') return [];
  return messages.flatMap(({ seq, content }) => {
    const text = fold(content);
    const places: Place[] = [];
    for (let at = text.indexOf(wanted); at !== -1 && places.length < MOST_IN_MESSAGE; ) {
      places.push({ seq, nth: places.length });
      at = text.indexOf(wanted, at + wanted.length);
    }
    return places;
  });
}

/** Of the words as they are drawn, which Markdown may have taken apart. */
function rangesIn(element: Element, query: string): Range[] {
  const wanted = fold(query.trim());
  const ranges: Range[] = [];
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const text = fold(node.textContent ?? '');
    for (let at = text.indexOf(wanted); at !== -1 && ranges.length < MOST_IN_MESSAGE; ) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, Math.min(at + wanted.length, node.textContent?.length ?? 0));
      ranges.push(range);
      at = text.indexOf(wanted, at + wanted.length);
    }
  }
  return ranges;
}

export function unmark(): void {
  CSS.highlights?.delete(MARK);
  CSS.highlights?.delete(MARK_AT);
}

/** Marks the places of one message and brings the one that is looked at into view. */
function show({ seq, nth }: Place, query: string): void {
  const article = document.querySelector(`[data-seq="${seq}"]`);
  if (!article) return;
  const ranges = rangesIn(article, query);
  const at = ranges[Math.min(nth, ranges.length - 1)];
  if (CSS.highlights) {
    CSS.highlights.set(MARK, new Highlight(...ranges));
    if (at) CSS.highlights.set(MARK_AT, new Highlight(at));
  }
  // A word that Markdown took apart has no range; its message is shown then.
  (at?.startContainer.parentElement ?? article).scrollIntoView({ block: 'center' });
}

export function useFind(messages: readonly Message[], query: string) {
  const places = useMemo(() => placesOf(messages, query), [messages, query]);
  // Counted from the end, where the reader is.
  const [fromEnd, setFromEnd] = useState(0);
  const index = places.length === 0 ? -1 : places.length - 1 - Math.min(fromEnd, places.length - 1);
  const place = places[index];
  const { seq, nth } = place ?? {};
  useEffect(() => {
    unmark();
    if (seq === undefined || nth === undefined) return;
    show({ seq, nth }, query);
    // Once more when it is drawn: what was plain text becomes Markdown as it comes near.
    const timer = setTimeout(() => show({ seq, nth }, query), 150);
    return () => clearTimeout(timer);
  }, [seq, nth, query]);
  const step = (by: number) => {
    if (places.length > 0) setFromEnd((places.length + Math.min(fromEnd, places.length - 1) - by) % places.length);
  };
  return {
    count: places.length,
    at: index + 1,
    next: () => step(1),
    previous: () => step(-1),
    fromNewest: () => setFromEnd(0),
  };
}
