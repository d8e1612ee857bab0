// The log: lines of JSON without what must not stand in one.
import pino, { type Logger } from 'pino';

/** Of lines that could not be written yet. */
const HELD_BYTES = 1_000_000;

export function createLogger(level: string, fd: number = process.stdout.fd): Logger {
  // The log of a server in the background lies beside its data. A full disk takes its lines, and not the server with them.
  const output = pino.destination({ fd, sync: true, maxLength: HELD_BYTES });
  output.on('error', () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          '*.authorization',
          '*.headers.authorization',
          '*["x-api-key"]',
          '*.headers["x-api-key"]',
          'headers.cookie',
          '*.apiKey',
          '*.token',
          'err.config',
          'err.details.headers',
        ],
        censor: '***',
      },
    },
    output,
  );
}
