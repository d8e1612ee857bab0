// What a command's exit code says to a script.
import type { ErrorCode } from '../shared/errors.js';

export const EXIT = {
  failed: 1,
  /** Wrong arguments, or a request that the server refused as such. */
  usage: 2,
  /** The server, or what it needs to answer, is not there. */
  unavailable: 3,
  /** Ctrl-C; 128 and the number of SIGINT, as shells have it. */
  interrupted: 130,
} as const;

const USAGE: readonly ErrorCode[] = ['invalid_input', 'invalid_settings', 'unknown_parameter'];

export function exitCodeOf(code: ErrorCode): number {
  if (code === 'cancelled') return EXIT.interrupted;
  if (code === 'provider_unavailable') return EXIT.unavailable;
  return USAGE.includes(code) ? EXIT.usage : EXIT.failed;
}
