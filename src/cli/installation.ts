// Where this installation's files lie: the checkout with its builds, and the person's data folder.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The bundled CLI is dist/server/cli.js, two folders below the checkout. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
export const SERVER_ENTRY = join(CHECKOUT, 'dist', 'server', 'main.js');
export const BUILD_STAMP = join(CHECKOUT, 'dist', 'server', '.built-from');

export const pidFile = (dataDir: string): string => join(dataDir, 'venom.pid');
export const logFile = (dataDir: string): string => join(dataDir, 'logs', 'venom.log');
export const modelsDir = (dataDir: string): string => join(dataDir, 'models');
