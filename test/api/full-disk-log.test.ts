// The log of a server whose disk is full.
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createLogger } from '../../src/compose/logger.js';

it.skipIf(!existsSync('/dev/full'))('a full disk takes lines of the log, and not the server', async () => {
  const fd = openSync('/dev/full', 'w');
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on('uncaughtException', note);
  const logger = createLogger('info', fd);
  for (let line = 0; line < 5; line += 1) expect(() => logger.info({ line }, 'not written')).not.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off('uncaughtException', note);
  closeSync(fd);
  expect(failures).toEqual([]);
});
