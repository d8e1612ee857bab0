// Does something when an element comes near what is seen of the region it scrolls in, such as reading the next page.
import { type RefObject, useEffect, useRef } from 'react';

export function useWhenSeen(
  element: RefObject<HTMLElement | null>,
  /** CSS selector of what scrolls, and how far around it counts as near. */
  region: { selector: string; margin: string },
  act: () => void,
  /** While false nothing is done, such as while the last page is on its way. */
  ready: boolean,
): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  const { selector, margin } = region;
  useEffect(() => {
    const target = element.current;
    if (!ready || !target) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && latest.current(), {
      root: target.closest(selector),
      rootMargin: margin,
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, selector, margin, ready]);
}
