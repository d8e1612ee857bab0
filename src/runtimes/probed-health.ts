// How a server that is asked over the network is: the answer to one question, and how long it took.
import type { RuntimeHealth } from './runtime.js';

/** `ask` returns the figures for the System page. Never throws: that it does not answer is what is reported. */
export async function probedHealth(ask: () => Promise<RuntimeHealth['details']>): Promise<RuntimeHealth> {
  const startedAt = performance.now();
  try {
    const details = await ask();
    return { state: 'online', latencyMs: Math.round(performance.now() - startedAt), error: null, details };
  } catch (error) {
    return { state: 'offline', latencyMs: null, error: (error as Error).message, details: {} };
  }
}
