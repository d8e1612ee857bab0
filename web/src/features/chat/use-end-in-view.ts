// Keeps the end of a conversation in view while it grows, until the reader scrolls up; and what was in view where older
// messages come in above it.
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';

const NEAR_END_PX = 40;
/** From here on there is something below that the reader may want to get back to. */
const AWAY_PX = 240;

export interface EndInView {
  scroller: RefObject<HTMLDivElement | null>;
  /** Ref of what grows within. */
  column: (element: HTMLDivElement | null) => void;
  /** Whether the end is out of sight. */
  away: boolean;
  onScroll(): void;
  toEnd(): void;
  /** Call before something is put in above. */
  holdPlace(): void;
}

export function useEndInView(): EndInView {
  const scroller = useRef<HTMLDivElement>(null);
  const [column, setColumn] = useState<HTMLDivElement | null>(null);
  // Known before the next text moves the end away.
  const following = useRef(true);
  const lastTop = useRef(0);
  const held = useRef<number | null>(null);
  const [away, setAway] = useState(false);

  const toEnd = () => {
    following.current = true;
    setAway(false);
    if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  };
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (held.current !== null && element.scrollHeight !== held.current) {
      // Where the browser keeps what is in view by itself, it has done so by now.
      if (!CSS.supports('overflow-anchor', 'auto')) element.scrollTop += element.scrollHeight - held.current;
      held.current = null;
    }
    if (following.current) element.scrollTop = element.scrollHeight;
  });
  // Colours, pictures and estimated heights change after the text is there.
  useEffect(() => {
    if (!column) return;
    const sizes = new ResizeObserver(() => {
      if (following.current && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
    });
    sizes.observe(column);
    return () => sizes.disconnect();
  }, [column]);

  return {
    scroller,
    column: setColumn,
    away,
    toEnd,
    onScroll: () => {
      const element = scroller.current;
      if (!element) return;
      const below = element.scrollHeight - element.scrollTop - element.clientHeight;
      // Only a reader goes up; what we do goes down.
      if (element.scrollTop < lastTop.current - 1 && below > 1) following.current = false;
      else if (below < NEAR_END_PX) following.current = true;
      lastTop.current = element.scrollTop;
      setAway(!following.current && below > AWAY_PX);
    },
    holdPlace: () => {
      const element = scroller.current;
      if (!element) return;
      held.current = element.scrollHeight;
      // At the very top nothing is anchored.
      if (element.scrollTop < 1) element.scrollTop = 1;
    },
  };
}
