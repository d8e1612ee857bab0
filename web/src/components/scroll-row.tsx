// A row of tabs or choices that may be wider than the page: it scrolls, and fades out where there is more.
import { type ReactNode, useEffect, useRef } from 'react';

export function ScrollRow({ children, className = '' }: { children: ReactNode; className?: string }) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = row.current;
    if (!element) return;
    const look = () => {
      // Right to left, it begins at 0 and goes down.
      const place = Math.abs(element.scrollLeft);
      element.dataset['before'] = String(place > 2);
      element.dataset['after'] = String(place + element.clientWidth < element.scrollWidth - 2);
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    for (const child of element.children) sizes.observe(child);
    element.addEventListener('scroll', look, { passive: true });
    const chosen = element.querySelector<HTMLElement>('[aria-selected="true"], :has(> input:checked)');
    if (chosen && chosen.offsetLeft + chosen.offsetWidth > element.clientWidth)
      element.scrollLeft = chosen.offsetLeft - 40;
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  return (
    <div ref={row} className={`scroll-row ${className}`}>
      {children}
    </div>
  );
}
