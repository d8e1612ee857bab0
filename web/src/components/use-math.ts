// The formula renderer, once some text needs it.
import { useEffect, useSyncExternalStore } from 'react';

type Math = typeof import('./math')['math'];

let loaded: Math | undefined;
let asked = false;
const listeners = new Set<() => void>();

function load(): void {
  if (asked) return;
  asked = true;
  void import('./math').then(
    ({ math }) => {
      loaded = math;
      for (const listener of listeners) listener();
    },
    () => {
      // The formulas stay as they were typed; the next text tries again.
      asked = false;
    },
  );
}

export function useMath(needed: boolean): Math | undefined {
  const math = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => loaded,
  );
  useEffect(() => {
    if (needed) load();
  }, [needed]);
  return needed ? math : undefined;
}
