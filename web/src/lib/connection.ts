// Whether the server can be reached, as far as this page knows: one value, told by the WebSocket and by failed requests.
import { useSyncExternalStore } from 'react';

let lost = false;
let retry = () => {};
const listeners = new Set<() => void>();

export function tellConnection(isLost: boolean): void {
  if (lost === isLost) return;
  lost = isLost;
  for (const listener of listeners) listener();
}

/** What is done when the reader does not want to wait for the next attempt. */
export function onRetryConnection(action: () => void): void {
  retry = action;
}
export const retryConnection = (): void => retry();

/** Whether a server of ours answers at all: a refusal is an answer too. */
export async function serverAnswers(): Promise<boolean> {
  try {
    await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5_000) });
    return true;
  } catch {
    return false;
  }
}

export const useConnectionLost = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lost,
  );
